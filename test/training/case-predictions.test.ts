import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { axisAligned, type SourceGrid } from "../../src/core/geometry.js";
import type { RunEvent } from "../../src/core/run-events.js";
import { predict } from "../../src/inference/index.js";
import { niftiCases } from "../../src/io/nifti-cases.js";
import { PHANTOM_CLASSES, writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { augment, batch, cached, clip, load, normalize, patch, resample } from "../../src/operators/index.js";
import type { KeepCasesOptions, TrainingConfig } from "../../src/training/config/training-config.js";
import { CasePredictions } from "../../src/training/run/case-predictions.js";
import { RunFolder } from "../../src/training/run/run-folder.js";
import { train } from "../../src/training/train.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-case-predictions-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const source: SourceGrid = {
  format: "arrays",
  path: "case",
  shape: [4, 3, 2],
  dimensions: 3,
  affine: axisAligned().affine,
  axes: [
    { axis: 0, flipped: false },
    { axis: 1, flipped: false },
    { axis: 2, flipped: false },
  ],
  orientation: "RAS",
  header: null,
};
const eventsOf = (folder: string): RunEvent[] =>
  readFileSync(join(folder, "events.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);
const epochsOf = (folder: string): number[] =>
  readdirSync(join(folder, "validation"))
    .map((name) => Number(name.slice(6)))
    .sort((a, b) => a - b);

/** Predicts `cases` after each of the epochs, as validation does. */
async function epochs(folder: string, from: number, to: number, every: number, keep: KeepCasesOptions, cases = ["a", "b"], operator = "normalize") {
  const run = RunFolder.open(folder, { mark: { eventsBytes: Number.POSITIVE_INFINITY, historyBytes: 0 } });
  const kept = new CasePredictions({ folder: run, classes: 2, keep });
  const before = { shape: [2, 3, 4, 1] as const, geometry: axisAligned() };
  for (let epoch = from; epoch <= to; epoch += every) {
    const found = [];
    for (const id of cases) {
      const history = [{ operator, params: {}, ...(operator !== "normalize" && { before }) }];
      const labels = Uint8Array.from({ length: 24 }, (_, i) => (i + epoch) % 2);
      const path = await kept.add(epoch, { part: { id, epoch: 0, history, source }, labels, shape: [2, 3, 4] });
      found.push({ id, dice: { kidney: epoch / 100 }, ...(path !== undefined && { path }) });
    }
    await kept.finish(epoch, found);
  }
  run.close();
}

describe("predictions of whole cases while training", () => {
  it("stand on the grid of the file, as `predict` writes them, with the scores of all cases in the events", { timeout: 300_000 }, async () => {
    const data = join(root, "data");
    await writePhantoms({ folder: data, cases: 4, shape: [16, 32, 32], seed: 5 });
    const set = niftiCases({ root: data, classes: PHANTOM_CLASSES });
    const config: TrainingConfig = {
      name: "kept",
      data: set,
      split: { validation: ["case_00001", "case_00003"] },
      graph: ({ cases }) =>
        cases.pipe(
          cached(load(), clip({ min: -160, max: 300 }), resample({ spacing: [4, 2, 2] }), normalize(), { folder: join(root, "cache") }),
          patch({ size: [8, 16, 16], perCase: 4, foreground: 1 }),
          augment(),
          batch({ size: 2 }),
        ),
      model: unet({ filters: 4, depth: 2, normalization: "instance" }),
      loss: tverskyLoss(),
      training: { epochs: 3, stepsPerEpoch: 8, learningRate: 1e-2 },
      validation: { patches: false, cases: { every: 1, keep: { cases: 1, epochs: 2 } } },
      workers: 0,
      memory: "64MB",
      runs: root,
    };
    const { folder } = await train(config);
    const events = eventsOf(folder).filter((event) => event.type === "cases");
    expect(events.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    for (const { epoch, cases } of events) {
      const path = `validation/epoch-0000${epoch}/case_00001.nii.gz`;
      expect(cases.map(({ id, path: own }) => [id, own])).toEqual([
        ["case_00001", path],
        ["case_00003", undefined],
      ]);
      expect(existsSync(join(folder, path))).toBe(epoch !== 2);
    }
    const row = readFileSync(join(folder, "history.tsv"), "utf8").trimEnd().split("\n").at(-1)!.split("\t");
    const kidney = events[2]!.cases.map(({ dice }) => dice.kidney!);
    const columns = readFileSync(join(folder, "history.tsv"), "utf8").split("\n")[0]!.split("\t");
    expect(Number(row[columns.indexOf("val_dice_kidney")])).toBeCloseTo((kidney[0]! + kidney[1]!) / 2, 12);

    const output = join(root, "predictions");
    await predict({ bundle: join(folder, "checkpoints/latest"), inputs: set, ids: ["case_00001"], output, workers: 0 });
    const bytes = (path: string) => gunzipSync(readFileSync(path));
    const last = bytes(join(folder, "validation/epoch-00003/case_00001.nii.gz"));
    const final = bytes(join(output, "case_00001.nii.gz"));
    expect(last.subarray(352).equals(final.subarray(352))).toBe(true);
    const affine = (file: Buffer) => Array.from({ length: 12 }, (_, i) => file.readFloatLE(280 + 4 * i) + 0);
    expect(affine(last)).toEqual(affine(final));
    expect(last.subarray(352).some((label) => label > 0)).toBe(true);
    expect(last.equals(bytes(join(folder, "validation/epoch-00001/case_00001.nii.gz")))).toBe(false);
  });

  it("thin out to multiples of a stride, the first and the newest", async () => {
    const folder = join(root, "thin");
    await epochs(folder, 5, 60, 5, { epochs: 5 });
    expect(epochsOf(folder)).toEqual([5, 20, 40, 60]);
    await epochs(folder, 65, 75, 5, { epochs: 5 });
    expect(epochsOf(folder)).toEqual([5, 20, 40, 60, 75]);
    await epochs(folder, 80, 80, 5, { epochs: 5 });
    expect(epochsOf(folder)).toEqual([5, 40, 80]);
  });

  it("are the same ones after a resume, without those of the session that broke off", async () => {
    const [whole, resumed] = [join(root, "whole"), join(root, "resumed")];
    await epochs(whole, 2, 30, 2, { epochs: 6 });
    await epochs(resumed, 2, 24, 2, { epochs: 6 });
    await epochs(resumed, 14, 14, 2, { epochs: 6 });
    expect(epochsOf(resumed).at(-1)).toBe(14);
    await epochs(resumed, 16, 30, 2, { epochs: 6 });
    expect(epochsOf(resumed)).toEqual(epochsOf(whole));
  });

  it("take no more room than they are given", async () => {
    const folder = join(root, "room");
    await epochs(folder, 1, 1, 1, {}, ["a", "b", "c"]);
    const one = readFileSync(join(folder, "validation/epoch-00001/a.nii.gz")).length;
    const narrow = join(root, "narrow");
    await epochs(narrow, 1, 20, 1, { bytes: one * 8 }, ["a", "b", "c"]);
    const files = readdirSync(join(narrow, "validation")).map((name) => readdirSync(join(narrow, "validation", name)).length);
    expect(files.every((count) => count === 3)).toBe(true);
    expect(files).toHaveLength(2);
    await epochs(join(root, "narrower"), 1, 3, 1, { bytes: one * 2 }, ["a", "b", "c"]);
    expect(readdirSync(join(root, "narrower/validation/epoch-00003"))).toEqual(["a.nii.gz"]);
  });

  it("are none where none are wanted, and scores stay", async () => {
    const folder = join(root, "none");
    await epochs(folder, 1, 2, 1, { cases: 0 });
    expect(existsSync(join(folder, "validation"))).toBe(false);
    expect(eventsOf(folder).map(({ type }) => type)).toEqual(["cases", "cases"]);
  });

  it("are left out with a warning, once, where an operator cannot be undone", async () => {
    const folder = join(root, "own");
    await epochs(folder, 1, 3, 1, {}, ["a"], "somebody's own");
    const warnings = eventsOf(folder).filter((event) => event.type === "warning");
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the predictions of a while training are not kept: .*a step that moves voxels must be known with its inverse/),
    ]);
  });

  it("have options that are checked", () => {
    const folder = {} as RunFolder;
    expect(() => new CasePredictions({ folder, classes: 2, keep: { bytes: "much" } })).toThrow(/validation.cases.keep.bytes must be a size/);
  });
});
