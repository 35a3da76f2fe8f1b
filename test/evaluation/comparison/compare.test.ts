import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Comparison, compare } from "../../../src/evaluation/index.js";
import { niftiCases } from "../../../src/io/nifti-cases.js";
import { PHANTOM_CLASSES, writePhantoms } from "../../../src/io/phantom/write-phantoms.js";
import { crossEntropyLoss, softDice, tverskyLoss } from "../../../src/losses/index.js";
import { residualUnet, unet } from "../../../src/models/index.js";
import { normalize } from "../../../src/operators/intensity/normalize.js";
import { load } from "../../../src/operators/load/load.js";
import { patch } from "../../../src/operators/patch/patch.js";
import { batch } from "../../../src/operators/stream/batch.js";
import { defineComparison } from "../../../src/training/index.js";
import { runCli } from "../../e2e/fixture/run-cli.js";
import { decode } from "../figures/pixels.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-compare-"));
// A data set looks at its folder when it is made.
await writePhantoms({ folder: join(root, "data"), cases: 4, shape: [16, 32, 32], seed: 3 });
const width = { filters: 2, depth: 2, normalization: "instance" } as const;
const comparison = defineComparison({
  base: {
    data: niftiCases({ root: join(root, "data"), classes: PHANTOM_CLASSES }),
    graph: ({ cases }) => cases.pipe(load(), normalize(), patch({ size: [8, 16, 16], perCase: 1 }), batch({ size: 1 })),
    model: unet(width),
    loss: tverskyLoss(),
    metrics: [softDice()],
    training: { epochs: 1, stepsPerEpoch: 3, learningRate: 1e-2, checkpoint: { everySteps: 1 } },
    runs: join(root, "runs"),
    workers: 0,
    threads: 1,
    memory: "64MB",
  },
  variants: { unet: {}, residual: { model: residualUnet(width), loss: crossEntropyLoss(), training: { learningRate: 1e-3 } } },
  folds: 2,
  seeds: [0, 7],
});
/** As a user writes it; files are loaded by processes that can resolve "voxstream". */
const imports = `import { batch, defineComparison, defineConfig, load, niftiCases, normalize, patch, residualUnet, tverskyLoss, unet } from "voxstream";`;
const fields = (model: string): string => `
    data: niftiCases({ root: ${JSON.stringify(join(root, "data"))}, classes: ["background", "kidney", "tumor"] }),
    graph: ({ cases }) => cases.pipe(load(), normalize(), patch({ size: [8, 16, 16], perCase: 1 }), batch({ size: 1 })),
    model: ${model}, loss: tverskyLoss(), training: { epochs: 1, stepsPerEpoch: 2 },
    runs: ${JSON.stringify(join(root, "runs"))}, workers: 1, threads: 1, memory: "64MB",`;
const cells = (...path: string[]): string[][] =>
  readFileSync(join(root, "runs", ...path), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("a comparison", () => {
  let whole: Comparison;
  beforeAll(async () => {
    whole = await compare({ comparison, overrides: { name: "whole" } });
  }, 300_000);

  it("scores every variant on the same held-out cases, and writes table, figures and report", async () => {
    expect(whole).toMatchObject({ status: "completed", folder: join(root, "runs", "whole") });
    const [head, ...rows] = cells("whole", "comparison", "cases.tsv");
    expect(head!.slice(0, 5)).toEqual(["variant", "seed_number", "case", "class", "state"]);
    // 2 variants, 2 seeds, 4 cases, 2 classes.
    expect(rows.length).toBe(2 * 2 * 4 * 2);
    const keys = (variant: string): string[] => rows.filter((row) => row[0] === variant).map((row) => row.slice(1, 4).join(" "));
    expect(keys("residual")).toEqual(keys("unet"));
    expect(whole.summary!.variants.map(({ name }) => name)).toEqual(["unet", "residual"]);
    const [unet, residual] = whole.summary!.variants;
    expect(unet!.classes["all classes"]!.dice!.difference).toBeNull();
    expect(residual!.classes["all classes"]!.dice!.difference).toMatchObject({ n: 4, mean: expect.any(Number), p: expect.any(Number) });
    expect(residual!.cost.parameters).toBeGreaterThan(unet!.cost.parameters!);
    expect(unet!.cost).toMatchObject({ stepMs: expect.any(Number), peakBytes: expect.any(Number), predictSeconds: expect.any(Number) });

    const output = join(root, "runs", "whole", "comparison");
    for (const name of ["box-dice-all-classes.png", "dice-by-time.png", "dice-by-parameters.png", "dice-by-memory.png"]) {
      const { width, height } = await decode(readFileSync(join(output, name)));
      expect(Math.min(width, height)).toBeGreaterThan(400);
    }
    const page = readFileSync(whole.report!, "utf8");
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    expect(readFileSync(join(output, "comparison.md"), "utf8")).toMatch(/\| residual \| 0\.\d{3} \[/);
  });

  it("trains variants alike: the same cases, steps and seeds", () => {
    const manifest = (variant: string) =>
      JSON.parse(readFileSync(join(root, "runs", "whole", "variants", `${variant}-seed-7`, "fold-1", "manifest.json"), "utf8")) as {
        seed: number;
        cases: unknown;
        config: { training: { learningRate: number } };
      };
    expect(manifest("residual").cases).toEqual(manifest("unet").cases);
    expect([manifest("residual").seed, manifest("unet").seed]).toEqual([7, 7]);
    expect([manifest("unet").config.training.learningRate, manifest("residual").config.training.learningRate]).toEqual([1e-2, 1e-3]);
  });

  it("goes on where it was stopped, with the same scores", { timeout: 300_000 }, async () => {
    const controller = new AbortController();
    let turns = 0;
    const stopped = await compare({
      comparison,
      overrides: { name: "part" },
      signal: controller.signal,
      onTurn: () => void turns++,
      onEvent: (event) => {
        if (turns === 5 && event.type === "step" && event.step === 2) controller.abort();
      },
    });
    expect(stopped).toMatchObject({ status: "stopped", summary: undefined });
    let again = 0;
    const rest = await compare({ comparison, overrides: { name: "part" }, resume: true, onTurn: () => void again++ });
    // The interrupted one and those after it.
    expect([turns, again, rest.status]).toEqual([5, 8 - 4, "completed"]);
    expect(cells("part", "comparison", "cases.tsv")).toEqual(cells("whole", "comparison", "cases.tsv"));
    expect(cells("part", "comparison", "comparison.tsv")).toEqual(cells("whole", "comparison", "comparison.tsv"));
  });

  it("runs single variants apart", { timeout: 300_000 }, async () => {
    const hold = { comparison, holdOut: 0.25, seeds: [0], overrides: { name: "apart" } };
    const first = await compare({ ...hold, only: ["unet"] });
    expect(first).toMatchObject({ status: "partial", summary: undefined });
    expect(readdirSync(join(first.folder, "variants"))).toEqual(["unet-seed-0"]);
    const second = await compare({ ...hold, only: ["residual"], baseline: "residual" });
    expect(second).toMatchObject({ status: "completed", folder: first.folder, summary: { baseline: "residual", cases: 1 } });
  });

  it("never goes on in the folder of a training", async () => {
    mkdirSync(join(root, "runs", "taken"), { recursive: true });
    writeFileSync(join(root, "runs", "taken", "events.jsonl"), "");
    const { status, folder } = await compare({ comparison, resume: true, overrides: { name: "taken" }, signal: AbortSignal.abort() });
    expect([status, folder]).toEqual(["stopped", join(root, "runs", "taken-2")]);
    expect(readdirSync(join(root, "runs", "taken"))).toEqual(["events.jsonl"]);
  });

  it("runs from the command line, and takes config files as variants", { timeout: 300_000 }, async () => {
    const config = (name: string, model: string): string => {
      const path = join(root, `${name}.config.mjs`);
      writeFileSync(path, `${imports}\nexport default defineConfig({${fields(model)}\n});\n`);
      return path;
    };
    const [a, b] = [config("one", "unet({ filters: 2, depth: 1 })"), config("two", "unet({ filters: 3, depth: 1 })")];
    const { code, stdout, stderr } = await runCli(["compare", a, b, "--hold-out", "0.5", "--name", "files", "--json"]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("2/2: two, fold 0, seed 0")]);
    expect(JSON.parse(stdout)).toMatchObject({
      status: "completed",
      summary: { baseline: "one", cases: 2, variants: [{ name: "one" }, { name: "two" }] },
    });
    expect(existsSync(join(root, "runs", "files", "comparison", "report.html"))).toBe(true);
    const file = join(root, "both.config.mjs");
    writeFileSync(
      file,
      `${imports}\nexport default defineComparison({ base: {${fields("unet({ filters: 2, depth: 1 })")} }, variants: { unet: {}, residual: { model: residualUnet({ filters: 2, depth: 1 }) } } });\n`,
    );
    const one = await runCli(["train", `${file}#residual`, "--json"]);
    expect([one.code, JSON.parse(one.stdout)]).toMatchObject([0, { status: "completed", folder: join(root, "runs", "both-residual") }]);
    const strange = await runCli(["train", `${file}#residul`]);
    expect([strange.code, strange.stderr]).toEqual([2, expect.stringContaining("did you mean residual?")]);
    const none = await runCli(["train", file]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining(`use voxstream compare, or one of its variants: ${file}#unet`)]);
    const alone = await runCli(["compare", a]);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining("must export defineComparison({ base, variants })")]);
  });
});

describe("defineComparison", () => {
  const base = {
    data: { classes: ["a", "b"], channels: 1, list: async () => [] },
    graph: (() => undefined) as never,
    model: { build: () => undefined } as never,
    loss: (() => undefined) as never,
    training: { epochs: 1 },
  };
  it.each([
    [{ base, variants: { a: {}, b: { trainin: {} } } }, "variants.b: trainin is not a field of the configuration; did you mean training?"],
    [
      { base, variants: { a: {}, b: { training: { epoch: 3 } } } },
      "variants.b: training.epoch is not a field of the configuration; did you mean epochs?",
    ],
    [{ base, variants: { a: {}, b: { seed: 3 } } }, "seed must be the same for all variants; it belongs to base, got it in variants.b"],
    [{ base, variants: { a: {} } }, 'variants must be at least two, got ["a"]'],
    [{ base, variants: { a: {}, "b/c": {} } }, `the name of a variant must be letters, digits, '.', '_' and '-', got "b/c"`],
    [{ base, variants: { a: {}, b: {} }, fold: 3 }, "fold is not a field of a comparison; did you mean folds?"],
    [{ base, variants: { a: {}, b: {} }, folds: 3, holdOut: 0.5 }, "folds and holdOut must not both be given"],
    [{ base, variants: { a: {}, b: {} }, baseline: "c" }, 'baseline must be one of the variants a, b, got "c"'],
    [{ base, variants: { a: {}, b: {} }, seeds: [1, 1] }, "seeds must be a list of different integers, got [1,1]"],
    [{ base: { ...base, epochs: 3 }, variants: { a: {}, b: {} } }, "base: epochs is not a field of the configuration"],
  ])("refuses %j by name and rule", (comparison, message) => {
    expect(() => defineComparison(comparison as never)).toThrow(message);
  });
});
