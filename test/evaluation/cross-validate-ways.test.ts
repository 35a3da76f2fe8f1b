import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Fold } from "../../src/evaluation/index.js";
import { predict, readBundlePostprocessing } from "../../src/inference/index.js";
import { niftiCases } from "../../src/io/nifti-cases.js";
import { PHANTOM_CLASSES } from "../../src/io/phantom/write-phantoms.js";
import { smallCrossValidation } from "./small-cross-validation.js";

const { config, folder, json, remove, root, runs, text, validate } = await smallCrossValidation();
afterAll(remove);

const header = (...parts: string[]): string[] =>
  text(...parts, "history.tsv")
    .split("\n")[0]!
    .split("\t");

describe("repeated cross-validation", () => {
  it("counts every case once, with its mean over the repeats, and tells the means of each repeat", { timeout: 300_000 }, async () => {
    const { status, rows, summary, splits, report } = await validate({ name: "repeated", folds: 2, repeats: 2 });
    expect(status).toBe("completed");
    expect(splits.map(({ repeat }) => repeat)).toEqual([0, 0, 1, 1]);
    expect(rows.length).toBe(4 * 2 * 2);
    const kidney = rows.filter((row) => row.class === "kidney");
    for (const row of kidney) expect(splits[row.fold!]!.validation).toContain(row.id);
    const { n, mean } = summary!.classes.kidney!.metrics.dice!;
    expect(n).toBe(4);
    expect(mean).toBeCloseTo(kidney.reduce((sum, row) => sum + row.metrics.dice!, 0) / 8, 12);
    expect(summary!.repeats).toHaveLength(2);
    const first = kidney.filter((row) => row.fold! < 2).reduce((sum, row) => sum + row.metrics.hd95!, 0) / 4;
    const tumors = rows.filter((row) => row.class === "tumor" && row.fold! < 2 && !Number.isNaN(row.metrics.hd95!));
    const second = tumors.reduce((sum, row) => sum + row.metrics.hd95!, 0) / tumors.length;
    expect(summary!.repeats![0]!.hd95).toBeCloseTo((first + second) / 2, 9);
    expect(readFileSync(join(runs, "repeated", "evaluation", "detailed.tsv"), "utf8")).toMatch(/^case\tfold\tclass\t/);
    expect(readFileSync(report!, "utf8")).toContain("Every case was held out 2 times");
  });
});

describe("held-out cases", () => {
  it("that are watched give curves of both sets and decide nothing", { timeout: 300_000 }, async () => {
    const hidden = await validate({ name: "hidden", share: 0.25 });
    const watched = await validate({ name: "watched", share: 0.25, heldOut: "watched" });
    expect(hidden.splits).toEqual(watched.splits);
    expect(header("hidden", "fold-0")).not.toContain("val_loss");
    expect(header("watched", "fold-0")).toContain("val_loss");
    const { cases } = json<{ cases: Fold }>("watched", "fold-0", "manifest.json");
    expect(cases.validation).toEqual(watched.splits[0]!.validation);
    expect(existsSync(join(runs, "watched", "fold-0", "figures", "softDice.png"))).toBe(true);
    // The same training: watching changes no number.
    expect(watched.rows).toEqual(hidden.rows);
    expect(readFileSync(watched.report!, "utf8")).toContain("nothing was decided by them");
    // The best epoch is that of the smallest training loss.
    const history = readFileSync(join(runs, "watched", "fold-0", "history.tsv"), "utf8")
      .trimEnd()
      .split("\n")
      .slice(1);
    const losses = history.map((line) => Number(line.split("\t")[header("watched", "fold-0").indexOf("loss")]));
    const { training } = json<{ training: { bestEpoch: number } }>("watched", "fold-0", "fold.json");
    expect(training.bestEpoch).toBe(1 + losses.indexOf(Math.min(...losses)));
    await expect(validate({ name: "no", heldOut: "watched", checkpoint: "best" })).rejects.toMatchObject({ code: "ERR_OPTION" });
  });

  it("that decide may choose the best epoch, and the report says that its figures are too good", { timeout: 300_000 }, async () => {
    const { report } = await validate({ name: "deciding", share: 0.25, heldOut: "deciding", checkpoint: "best" });
    expect(readFileSync(report!, "utf8")).toContain("These figures are too good");
    await expect(validate({ name: "deciding", share: 0.25, heldOut: "hidden", checkpoint: "latest", resume: true })).rejects.toMatchObject({
      code: "ERR_CHECKPOINT",
    });
    await expect(validate({ name: "no", heldOut: "deciding", config: { ...config, split: { validation: 0.5 } } })).rejects.toThrow(
      'heldOut must be "hidden" with a split',
    );
  });
});

describe("postprocessing chosen on validation", () => {
  it("is recorded with its evidence in the run and in every bundle, and predict applies it", { timeout: 300_000 }, async () => {
    // Networks that have learned nothing scatter islands.
    const { postprocessing, summary } = await validate({ name: "chosen", folds: 2, postprocessing: "auto" });
    const content = await readBundlePostprocessing(join(runs, "chosen", "evaluation"));
    expect(content!.steps).toEqual(postprocessing!.steps);
    expect(content!.evidence).toMatchObject({ folds: 2, cases: 4 });
    for (const fold of [0, 1]) expect(await readBundlePostprocessing(join(runs, "chosen", `fold-${fold}`, "checkpoints", "latest"))).toEqual(content);
    for (const own of postprocessing!.classes) {
      expect(own.chosenDice).toBeGreaterThanOrEqual(own.dice);
      // Where the class is nowhere rightly absent, the Dice of the choice is that of the evaluation.
      const { states, metrics } = summary!.classes[own.class]!;
      if (states.both_empty === 0) expect(own.dice).toBeCloseTo(metrics.dice!.mean!, 9);
    }
    const inputs = niftiCases({ root, classes: PHANTOM_CLASSES });
    const result = await predict({ bundle: join(runs, "chosen"), inputs, ids: ["case_00000"], output: join(folder, "out"), workers: 0 });
    expect(result.postprocessing).toEqual(postprocessing!.steps);
    // It can be chosen later, too, without training anything again.
    const later = await validate({ name: "hidden", resume: true, postprocessing: "auto" });
    expect(later.postprocessing).toBeDefined();
  });
});

describe("classes taken together", () => {
  it("are scored beside the classes, tried for postprocessing, and no part of means over classes", { timeout: 300_000 }, async () => {
    const regions = { mass: [1, 2] };
    const run = await validate({ name: "regions", share: 0.5, regions, postprocessing: "auto" });
    const { meanOverClasses, classes, confusion } = run.summary!;
    expect(Object.keys(classes)).toEqual(["kidney", "tumor", "mass"]);
    expect(meanOverClasses.dice!.mean).toBeCloseTo((classes.kidney!.metrics.dice!.mean! + classes.tumor!.metrics.dice!.mean!) / 2, 12);
    expect(run.rows.filter((row) => row.class === "mass").map(({ labels }) => labels)).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const hits = run.rows.filter((row) => row.class === "mass").reduce((sum, { counts }) => sum + counts.tp, 0);
    expect(
      confusion!
        .slice(1)
        .flatMap((row) => row.slice(1))
        .reduce((sum, voxels) => sum + voxels, 0),
    ).toBe(hits);
    expect(run.postprocessing!.regions.map(({ region }) => region)).toEqual(["kidney+tumor"]);
    for (const { dice, chosenDice } of run.postprocessing!.regions) expect(chosenDice).toBeGreaterThanOrEqual(dice);
    expect(readFileSync(run.report!, "utf8")).toContain("<th>mass");
    await expect(validate({ name: "no", folds: 2, regions: { mass: [1, 3] } })).rejects.toThrow(
      "crossValidate: regions.mass must be labels 0..2, got [1,3]",
    );
    await expect(validate({ name: "no", folds: 2, regions: { tumor: [1, 2] } })).rejects.toThrow("regions must be names that no class has");
  });
});
