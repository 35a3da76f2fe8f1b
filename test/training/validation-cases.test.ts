import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EMPTY } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../src/evaluation/index.js";
import { predict } from "../../src/inference/index.js";
import { niftiCases } from "../../src/io/nifti-cases.js";
import { PHANTOM_CLASSES, writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { augment, batch, cached, clip, load, normalize, patch, prefetch, shuffle, skipBlank } from "../../src/operators/index.js";
import { recordOperators } from "../../src/operators/operator-link.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { caseGraph } from "../../src/training/hosting/case-graph.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-validation-"));
const data = join(root, "data");
beforeAll(() => writePhantoms({ folder: data, cases: 4, shape: [16, 32, 32], seed: 5 }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, extra: Partial<TrainingConfig> = {}): TrainingConfig => ({
  name,
  data: niftiCases({ root: data, classes: PHANTOM_CLASSES }),
  split: { validation: ["case_00001", "case_00003"] },
  graph: ({ cases }) =>
    cases.pipe(
      cached(load(), clip({ min: -160, max: 300 }), normalize(), { folder: join(root, "cache") }),
      patch({ size: [8, 16, 16], perCase: 4, foreground: 1 }),
      skipBlank(),
      augment(),
      shuffle({ window: 2 }),
      batch({ size: 2 }),
      prefetch({ capacity: 1 }),
    ),
  model: unet({ filters: 4, depth: 2, normalization: "instance" }),
  loss: tverskyLoss(),
  training: { epochs: 4, stepsPerEpoch: 8, learningRate: 1e-2 },
  validation: { cases: { every: 2 } },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});
const history = (folder: string): Record<string, string>[] => {
  const [head, ...rows] = readFileSync(join(folder, "history.tsv"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  return rows.map((row) => Object.fromEntries(head!.map((name, at) => [name, row[at]!])));
};

describe("validation on whole cases", () => {
  it("gives the Dice that prediction and evaluation give, every so many epochs, beside the patches", { timeout: 300_000 }, async () => {
    const { folder } = await train(config("whole"));
    const rows = history(folder);
    expect(Object.keys(rows[0]!)).toEqual(["epoch", "loss", "val_loss", "val_dice", "val_dice_kidney", "val_dice_tumor", "lr"]);
    expect(rows.map((row) => row.val_dice !== "")).toEqual([false, true, false, true]);
    expect(rows.every((row) => row.val_loss !== "")).toBe(true);

    const ids = ["case_00001", "case_00003"];
    const output = join(root, "predictions");
    await predict({
      bundle: join(folder, "checkpoints/latest"),
      inputs: niftiCases({ root: data, classes: PHANTOM_CLASSES }),
      ids,
      output,
      workers: 0,
    });
    const { summary } = await evaluate({
      predictions: output,
      labels: niftiCases({ root: data, classes: PHANTOM_CLASSES }),
      classes: PHANTOM_CLASSES,
      ids,
    });
    // The cases keep their voxel size, so the network's grid is the file's.
    for (const name of ["kidney", "tumor"]) {
      expect(Number(rows[3]![`val_dice_${name}`])).toBeCloseTo(summary.classes[name]!.metrics.dice!.mean!, 10);
    }
    expect(Number(rows[3]!.val_dice)).toBeCloseTo(summary.meanOverClasses.dice!.mean!, 10);
    expect(Number(rows[3]!.val_dice)).toBeGreaterThan(0.01);
  });

  it("may stand alone, and then decides what is best", { timeout: 300_000 }, async () => {
    const { folder, bestEpoch } = await train(config("alone", { validation: { patches: false, cases: { every: 2, overlap: [0, 0, 0] } } }));
    const rows = history(folder);
    expect(Object.keys(rows[0]!)).toEqual(["epoch", "loss", "val_dice", "val_dice_kidney", "val_dice_tumor", "lr"]);
    const dice = rows.map((row) => Number(row.val_dice));
    expect(bestEpoch).toBe(dice[3]! > dice[1]! ? 4 : 2);
  });

  it("refuses a case that its share of the memory cannot hold, before training", async () => {
    const { graph: _, ...rest } = config("small", { memory: 500_000, workers: 0 });
    const running = train({ ...rest, graph: ({ cases }) => cases.pipe(load(), patch({ size: [8, 8, 8] }), batch({ size: 1 })) });
    await expect(running).rejects.toMatchObject({ code: "ERR_MEMORY", message: expect.stringMatching(/^validation: the memory budget must hold/) });
  });

  it("takes what is in front of the first patch, or of the batch where nothing is cut", () => {
    const names = (graph: TrainingConfig["graph"]): string[] =>
      recordOperators(() => caseGraph(graph)({ cases: EMPTY, mode: "validation", classes: ["a", "b"] })).map((operator) =>
        "link" in operator ? operator.link.name : Object.keys(operator)[0]!,
      );
    expect(names(config("x").graph)).toEqual(["cached", "batch"]);
    expect(names(({ cases }) => cases.pipe(load(), normalize(), batch({ size: 2 })))).toEqual(["load", "normalize", "batch"]);
    expect(() => names(({ cases }) => cases as never)).toThrow(/needs a graph that cuts patches or makes batches in one place, got 0/);
  });

  it("checks its fields", () => {
    const planar = { ...config("x"), data: tinyData(2) };
    const strange = (validation: unknown) => train({ ...planar, validation: validation as never });
    return Promise.all([
      expect(strange({ patches: false })).rejects.toMatchObject({
        code: "ERR_CONFIG",
        message: expect.stringContaining("validation must be by patches"),
      }),
      expect(strange({ cases: { evry: 2 } })).rejects.toMatchObject({ message: expect.stringContaining("validation.cases.evry is not a field") }),
      expect(strange({ cases: { overlap: [1, 2] } })).rejects.toMatchObject({ code: "ERR_CONFIG" }),
    ]);
  });
});
