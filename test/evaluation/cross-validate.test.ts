import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CrossValidateOptions, CrossValidation } from "../../src/evaluation/cross-validate.js";
import { type Fold, readSplits, type Splits } from "../../src/evaluation/index.js";
import { PHANTOM_CLASSES } from "../../src/io/phantom/write-phantoms.js";
import { runCli } from "../e2e/fixture/run-cli.js";
import { smallConfig } from "../e2e/fixture/small-config.js";
import { decode } from "./figures/pixels.js";
import { smallCrossValidation } from "./small-cross-validation.js";

const IDS = Array.from({ length: 6 }, (_, n) => `case_0000${n}`);
const small = await smallCrossValidation({
  cases: 6,
  shape: [16, 32, 32],
  patchSize: [8, 16, 16],
  depth: 2,
  training: { epochs: 1, stepsPerEpoch: 2, checkpoint: { everySteps: 1 } },
});
const { config, events: eventsOf, folder, json, remove, root, runs, text } = small;
afterAll(remove);

const validate = ({ name, ...rest }: Partial<CrossValidateOptions> & { readonly name: string }): Promise<CrossValidation> =>
  small.validate({ name, ...(rest.splits === undefined && { folds: 3 }), ...rest });
const starts = (...parts: string[]): number => eventsOf(...parts).filter(({ type }) => type === "start").length;

describe("a cross-validation", () => {
  let whole: CrossValidation;
  beforeAll(async () => {
    whole = await validate({ name: "whole", overlays: true });
  }, 300_000);

  it("holds out every case once, predicts it in its fold and sums all of them up", async () => {
    expect(whole).toMatchObject({ status: "completed", folder: join(runs, "whole"), finished: [0, 1, 2] });
    expect(whole.splits.flatMap(({ validation }) => validation).sort()).toEqual(IDS);
    expect(await readSplits(join(runs, "whole", "splits.json"))).toEqual(whole.splits);
    whole.splits.forEach(({ validation }, fold) => {
      for (const id of validation) expect(existsSync(join(runs, "whole", `fold-${fold}`, "predictions", `${id}.nii.gz`))).toBe(true);
    });
    expect(whole.rows.map((row) => `${row.id} ${row.class}`)).toEqual(IDS.flatMap((id) => [`${id} kidney`, `${id} tumor`]));
    expect(whole.summary).toMatchObject({ cases: 6, missing: [], failed: [] });
    const { n, mean, median, std, interval } = whole.summary!.classes.kidney!.metrics.dice!;
    expect(n).toBe(6);
    const dices = whole.rows.filter((row) => row.class === "kidney").map((row) => row.metrics.dice!);
    expect(mean).toBeCloseTo(dices.reduce((sum, value) => sum + value, 0) / 6, 12);
    for (const figure of [median, std, ...interval!]) expect(figure).toEqual(expect.any(Number));
    expect(json("whole", "evaluation", "summary.json")).toEqual(JSON.parse(JSON.stringify(whole.summary)));
    expect(text("whole", "evaluation", "detailed.tsv").trimEnd().split("\n").length).toBe(1 + 12);
  });

  it("counts what was taken for what, of each held-out case and of all", () => {
    const { confusion, confusionClasses } = whole.summary!;
    expect(confusionClasses).toEqual(PHANTOM_CLASSES);
    const { cases, ...all } = json("whole", "evaluation", "confusion.json") as {
      cases: { id: string; fold: number; confusion: number[][] }[];
      confusion: number[][];
    };
    expect(all.confusion).toEqual(confusion);
    expect(cases.map(({ id }) => id)).toEqual(IDS);
    for (const { fold, id } of cases) expect(whole.splits[fold]!.validation).toContain(id);
    for (const row of whole.rows) {
      const table = cases.find(({ id }) => id === row.id)!.confusion;
      const label = row.labels[0]!;
      expect(table[label]![label]).toBe(row.counts.tp);
      expect(table[label]!.reduce((sum, voxels) => sum + voxels, 0)).toBe(row.counts.tp + row.counts.fn);
    }
    expect(confusion!.flat().reduce((sum, voxels) => sum + voxels, 0)).toBe(6 * 16 * 32 * 32);
    expect(readFileSync(whole.report!, "utf8")).toContain("Confusion of classes");
  });

  it("resumes nothing in a fold that was never begun", () => {
    for (const fold of [0, 1, 2]) {
      const warnings = eventsOf("whole", `fold-${fold}`).flatMap((event) => (event.type === "warning" ? [event.message] : []));
      expect(warnings.filter((message) => message.includes("resume"))).toEqual([]);
    }
  });

  it("keeps held-out cases out of training altogether", () => {
    whole.splits.forEach(({ training, validation }, fold) => {
      const { cases } = json("whole", `fold-${fold}`, "manifest.json") as { cases: Fold };
      expect(cases).toEqual({ training, validation: [] });
      expect(training.some((id) => validation.includes(id))).toBe(false);
    });
  });

  it("starts every fold with a fresh network and optimizer", () => {
    for (const fold of [0, 1, 2]) {
      const steps = eventsOf("whole", `fold-${fold}`).flatMap((event) => (event.type === "step" ? [event.step] : []));
      expect(steps).toEqual([1, 2]);
    }
  });

  it("reports all cases, curves and pictures in one file that requests nothing", async () => {
    const page = readFileSync(whole.report!, "utf8");
    for (const id of IDS) expect(page).toContain(`<b>${id}</b>, held out in fold`);
    expect(page).not.toMatch(/https?:/i);
    expect(page).toContain("default-src 'none'");
    const sources = [...page.matchAll(/(?:src|href)="([^"]{0,30})/g)].map((match) => match[1]!);
    // Confusion and box plots; per fold loss, metrics and learning rate; an overlay per case.
    expect(sources.length).toBeGreaterThan(8 + 3 * 3 + 6 - 1);
    expect(sources.filter((source) => !source.startsWith("data:image/png;base64,"))).toEqual([]);
    const plot = await decode(readFileSync(join(runs, "whole", "evaluation", "box-dice.png")));
    expect(plot.count((r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) > 40)).toBeGreaterThan(300);
  });

  it("stopped in the middle of a fold and resumed, it gives the same summary and trains no finished fold again", { timeout: 300_000 }, async () => {
    const controller = new AbortController();
    const stopped = await validate({
      name: "killed",
      signal: controller.signal,
      onEvent: (event, fold) => {
        if (fold === 1 && event.type === "step") controller.abort();
      },
    });
    expect(stopped).toMatchObject({ status: "stopped", finished: [0], summary: undefined, report: undefined });
    expect(existsSync(join(runs, "killed", "evaluation"))).toBe(false);
    // In the middle: one of two steps is done.
    expect(json("killed", "fold-1", "checkpoints", "latest", "state.json")).toMatchObject({ state: { step: 1 } });
    expect(existsSync(join(runs, "killed", "fold-1", "fold.json"))).toBe(false);

    // Then between two cases of a prediction.
    const again = new AbortController();
    const predicting = await validate({
      name: "killed",
      resume: true,
      signal: again.signal,
      onPredict: ({ state }, fold) => {
        if (fold === 2 && state === "written") again.abort();
      },
    });
    expect(predicting).toMatchObject({ status: "stopped", finished: [0, 1] });
    expect(starts("killed", "fold-2")).toBe(1);

    const { mtimeMs } = statSync(join(runs, "killed", "fold-0", "checkpoints", "latest", "weights.bin"));
    const resumed = await validate({ name: "killed", resume: true });
    expect(resumed).toMatchObject({ status: "completed", folder: join(runs, "killed") });
    expect(resumed.rows).toEqual(whole.rows);
    expect(resumed.summary).toEqual(whole.summary);
    expect(text("killed", "evaluation", "summary.json")).toBe(text("whole", "evaluation", "summary.json"));
    expect([starts("killed", "fold-0"), starts("killed", "fold-2")]).toEqual([1, 1]);
    expect(statSync(join(runs, "killed", "fold-0", "checkpoints", "latest", "weights.bin")).mtimeMs).toBe(mtimeMs);
    expect(resumed.splits).toEqual(whole.splits);
  });

  it("runs folds alone, in any order, and sums up with the last one", { timeout: 300_000 }, async () => {
    expect(await validate({ name: "alone", fold: 2 })).toMatchObject({ status: "partial", finished: [2], summary: undefined });
    expect(await validate({ name: "alone", fold: 0 })).toMatchObject({ status: "partial", finished: [0, 2] });
    const last = await validate({ name: "alone", fold: 1 });
    expect(last).toMatchObject({ status: "completed", folder: join(runs, "alone") });
    expect(last.summary).toEqual(whole.summary);
  });

  it("chooses the best epoch on cases of the training part only", { timeout: 300_000 }, async () => {
    await validate({ name: "inner", config: { ...config, split: { validation: 0.25 } }, fold: 1, checkpoint: "best" });
    const { training, validation } = (await readSplits(join(runs, "inner", "splits.json")))[1]!;
    const { cases } = json("inner", "fold-1", "manifest.json") as { cases: Fold };
    expect([...cases.training, ...cases.validation].sort()).toEqual(training);
    expect(cases.validation.length).toBe(1);
    expect(cases.validation).not.toContain(validation[0]);
    const used = (json("inner", "fold-1", "predictions", "prediction.json") as { weights: string[] }).weights;
    expect(used[0]).toBe((json("inner", "fold-1", "checkpoints", "best", "bundle.json") as { weights: { sha256: string } }).weights.sha256);
    await expect(validate({ name: "best", checkpoint: "best" })).rejects.toMatchObject({
      code: "ERR_OPTION",
      message: expect.stringContaining("must not be chosen on the cases that are reported"),
    });
  });

  it("refuses to go on with another experiment, number of folds or division", async () => {
    await expect(validate({ name: "whole", resume: true, overrides: { name: "whole", epochs: 2 } })).rejects.toMatchObject({
      code: "ERR_CHECKPOINT",
    });
    await expect(validate({ name: "whole", resume: true, overrides: { name: "whole", seed: 5 } })).rejects.toMatchObject({ code: "ERR_CHECKPOINT" });
    await expect(validate({ name: "whole", resume: true, folds: 2 })).rejects.toMatchObject({ code: "ERR_OPTION" });
    const turned: Splits = [...whole.splits].reverse();
    await expect(validate({ name: "whole", resume: true, splits: turned })).rejects.toMatchObject({ code: "ERR_CHECKPOINT" });
  });

  it("refuses folds and divisions that cannot be, before anything is trained", async () => {
    const bad = (options: Partial<CrossValidateOptions>): Promise<unknown> => validate({ name: "bad", ...options }).catch((error: unknown) => error);
    expect(await bad({ fols: 3 } as never)).toMatchObject({ code: "ERR_OPTION", message: expect.stringMatching(/did you mean folds\?$/) });
    expect(await bad({ folds: 7 })).toMatchObject({ code: "ERR_OPTION", message: expect.stringContaining("2..6") });
    expect(await bad({ fold: 3 })).toMatchObject({ code: "ERR_OPTION", message: expect.stringContaining("0..2") });
    const split = (training: string[], validation: string[]): Fold => ({ training, validation });
    expect(await bad({ splits: [split([IDS[0]!], ["nobody"])] })).toMatchObject({ code: "ERR_DATA", message: expect.stringContaining("nobody") });
    const twice = [split([IDS[0]!], [IDS[1]!]), split([IDS[2]!], [IDS[1]!])];
    expect(await bad({ splits: twice })).toMatchObject({ code: "ERR_DATA", message: expect.stringContaining("at most once") });
    expect(await bad({ splits: [split([], IDS)] })).toMatchObject({ code: "ERR_DATA" });
    expect(await bad({ splits: [split(IDS, [IDS[1]!])] })).toMatchObject({ code: "ERR_DATA", message: expect.stringContaining("one side only") });
    expect(existsSync(join(runs, "bad"))).toBe(false);
  });

  it("is one command, which reads the same splits", { timeout: 300_000 }, async () => {
    const file = smallConfig(folder, { root, training: "stepsPerEpoch: 2" });
    const { code, stdout, stderr } = await runCli(
      ["crossval", file, "--splits", join(runs, "whole", "splits.json"), "--fold", "0", "--name", "command", "--json"],
      { cwd: folder },
    );
    expect(stderr).toContain("4 cases train, 2 are held out");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: "partial", folds: 3, finished: [0], report: null });
    expect(json("command", "splits.json")).toEqual(whole.splits);
  });
});
