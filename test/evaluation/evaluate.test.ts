import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Triple } from "../../src/core/shape.js";
import { evaluate, evaluationTable, summarizeValues } from "../../src/evaluation/index.js";
import { orientedAffine } from "../../src/io/phantom/oriented-affine.js";
import { placeOnGrid } from "../../src/io/place-on-grid.js";
import { writeVolume } from "../../src/io/write-volume.js";

const CLASSES = ["background", "kidney", "tumor"];
const SHAPE: Triple = [2, 2, 4];
const folder = mkdtempSync(join(tmpdir(), "voxstream-evaluate-"));
const predictions = join(folder, "predictions");
const labels = join(folder, "labels");

async function write(
  path: string,
  voxels: number[],
  { shape = SHAPE, letters = "RAS" as "RAS" | "LPS" | "IPL", shift = 0, spacing = [3, 1, 1] as Triple } = {},
): Promise<void> {
  const { source } = placeOnGrid({
    format: "test",
    path,
    dimensions: 3,
    header: null,
    ...orientedAffine(shape, spacing, { letters, tilt: 0 }, [shift, 0, 0]),
  });
  await writeVolume(path, Uint8Array.from(voxels), [...shape, 1], source, { kind: "label" });
}

//               z0: y0 ....  y1 ....   z1: y0 ....  y1 ....
const REFERENCE = [0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0];
const PREDICTED = [0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];
const NO_TUMOR = REFERENCE.map((v) => (v === 2 ? 0 : v));

beforeAll(async () => {
  // a: stored in other axis orders on both sides; b: tumor in neither; c: tumor predicted where there is none; d: never predicted.
  await write(join(labels, "a.nii.gz"), REFERENCE, { letters: "LPS" });
  await write(join(predictions, "a.nii.gz"), PREDICTED, { letters: "IPL" });
  await write(join(labels, "b.nii.gz"), NO_TUMOR);
  await write(join(predictions, "b.nii.gz"), NO_TUMOR);
  await write(join(labels, "c.nii.gz"), NO_TUMOR);
  await write(join(predictions, "c.nii.gz"), REFERENCE);
  await write(join(labels, "d.nii.gz"), REFERENCE);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("evaluate", () => {
  it("writes one row per case and class with counts, state and metrics, and sums up per class", async () => {
    const output = join(folder, "out");
    const { rows, summary, files } = await evaluate({ predictions, labels, classes: CLASSES, output, regions: { "kidney+tumor": [1, 2] } });
    expect(files).toEqual(["detailed.tsv", "summary.json", "confusion.json", "confusion.png"].map((name) => join(output, name)));
    const [head, ...lines] = readFileSync(files[0]!, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(head!.slice(0, 12)).toEqual([
      "case",
      "class",
      "labels",
      "state",
      "tp",
      "fp",
      "fn",
      "tn",
      "reference_mm3",
      "prediction_mm3",
      "dice",
      "iou",
    ]);
    expect(lines.map((line) => [line[0], line[1], line[3]])).toEqual([
      ["a", "kidney", "ok"],
      ["a", "tumor", "ok"],
      ["a", "kidney+tumor", "ok"],
      ["b", "kidney", "ok"],
      ["b", "tumor", "both_empty"],
      ["b", "kidney+tumor", "ok"],
      ["c", "kidney", "ok"],
      ["c", "tumor", "ref_empty"],
      ["c", "kidney+tumor", "ok"],
    ]);
    // Kidney of a: TP 3, FP 1, FN 1; voxels of 3 mm³.
    expect(lines[0]!.slice(2, 12)).toEqual(["1", "ok", "3", "1", "1", "11", "12", "12", "0.75", "0.6"]);
    expect(lines[4]![head!.indexOf("dice")]).toBe("");
    expect(lines[2]!.slice(2, 8)).toEqual(["1+2", "ok", "4", "1", "1", "10"]);
    expect(rows).toHaveLength(9);

    const written = JSON.parse(readFileSync(files[1]!, "utf8"));
    expect(written).toEqual(JSON.parse(JSON.stringify(summary)));
    expect(written.cases).toBe(3);
    expect(written.missing).toEqual(["d"]);
    expect(written.policy).toContain("Both empty: NaN, left out of means");
    const { kidney, tumor } = written.classes;
    expect(kidney.metrics.dice).toMatchObject({ n: 3, median: 1, min: 0.75, max: 1 });
    expect(kidney.metrics.dice.mean).toBeCloseTo((0.75 + 1 + 1) / 3, 12);
    expect(kidney.metrics.dice.std).toBeCloseTo(Math.sqrt((2 * (1 / 12) ** 2 + (1 / 6) ** 2) / 2), 12);
    expect(tumor.states).toEqual({ ok: 1, both_empty: 1, ref_empty: 1, pred_empty: 0 });
    expect(tumor.absentCorrectly).toBe(0.5);
    expect(tumor.metrics.dice).toMatchObject({ n: 2, mean: 0.5 });
    expect(tumor.metrics.hd95.max).toBeCloseTo(Math.hypot(6, 2, 4), 9);
    expect(written.meanOverClasses.dice.mean).toBeCloseTo((kidney.metrics.dice.mean + 0.5) / 2, 12);
    expect(written.meanOverClasses.dice.classes).toBe(2);
    // a: a voxel of kidney missed, one added; c: a tumor where there is none. 16 voxels each.
    expect(written.confusionClasses).toEqual(CLASSES);
    expect(written.confusion).toEqual([
      [10 + 12 + 11, 1, 1],
      [1, 3 + 4 + 4, 0],
      [0, 0, 1],
    ]);
    const { cases, confusion } = JSON.parse(readFileSync(files[2]!, "utf8"));
    expect(confusion).toEqual(written.confusion);
    expect(cases.map(({ id }: { id: string }) => id)).toEqual(["a", "b", "c"]);
    expect(cases[1].confusion).toEqual([
      [12, 0, 0],
      [0, 4, 0],
      [0, 0, 0],
    ]);
  });

  it("a class that no case has is left out of the mean over classes, and named", async () => {
    const { summary } = await evaluate({ predictions, labels, classes: [...CLASSES, "cyst"] });
    expect(summary.classes.cyst!.states.both_empty).toBe(3);
    expect(summary.meanOverClasses.dice).toMatchObject({ classes: 2, leftOut: ["cyst"] });
  });

  it("prints a table", async () => {
    const { summary } = await evaluate({ predictions, labels, classes: CLASSES });
    const lines = evaluationTable(summary).split("\n");
    expect(lines[0]).toMatch(/^class\s+n\s+Dice\s+IoU\s+HD95 mm\s+ASSD mm\s+NSD@1mm\s+empty \(both\/ref\/pred\)$/);
    expect(lines[2]).toMatch(/^kidney\s+3\s+0\.917 ± 0\.144/);
    expect(lines[3]).toMatch(/^tumor\s+2\s+0\.500 ± 0\.707.*1\/1\/0$/);
    expect(lines[4]).toMatch(/^mean of classes\s+0\.708/);
    expect(lines.at(-1)).toBe("without prediction: d");
    expect(new Set(lines.slice(1, 4).map((line) => line.length)).size).toBe(1);
  });

  it("cases asked for and not there are reported; no case at all is an error", async () => {
    const { summary, rows } = await evaluate({ predictions, labels, classes: CLASSES, ids: ["a", "d"] });
    expect(summary.missing).toEqual(["d"]);
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(["a"]));
    await expect(evaluate({ predictions, labels, classes: CLASSES, ids: ["d"] })).rejects.toMatchObject({ code: "ERR_EMPTY" });
  });

  it("pairs that do not fit are errors that name both files, or are reported as failed", async () => {
    const bad = join(folder, "bad");
    mkdirSync(bad);
    await write(join(bad, "a.nii.gz"), REFERENCE, { shift: 2 });
    await expect(evaluate({ predictions: bad, labels, classes: CLASSES })).rejects.toThrow(
      /bad\/a\.nii\.gz: the prediction must lie where its label .*labels\/a\.nii\.gz lies/,
    );
    await write(join(bad, "a.nii.gz"), new Array(8).fill(0), { shape: [2, 2, 2] });
    await expect(evaluate({ predictions: bad, labels, classes: CLASSES })).rejects.toThrow(
      /bad\/a\.nii\.gz: the prediction must have the shape of its label .*labels\/a\.nii\.gz, 2x2x4 \(depth x height x width\), got 2x2x2 \(sample a\)/,
    );
    await expect(evaluate({ predictions: bad, labels, classes: CLASSES })).rejects.toMatchObject({ code: "ERR_GEOMETRY" });
    await write(join(bad, "x.nii.gz"), REFERENCE);
    await write(
      join(bad, "b.nii.gz"),
      NO_TUMOR.map((v, i) => (i === 0 ? 7 : v)),
    );
    await write(join(bad, "c.nii.gz"), NO_TUMOR);
    const { summary } = await evaluate({ predictions: bad, labels, classes: CLASSES, onError: "skip" });
    expect(summary.failed.map(({ id }) => id)).toEqual(["a", "b", "x"]);
    expect(summary.failed[1]!.message).toContain("got also 7");
    expect(summary.failed[2]!.message).toContain("a prediction must have a label file to compare with");
    expect(summary.cases).toBe(1);
  });

  it("takes predictions of volumes and of pictures from one folder, but no figure that lies there", async () => {
    const [own, truth] = [join(folder, "both"), join(folder, "both-labels")];
    await write(join(own, "a.nii.gz"), PREDICTED);
    await write(join(truth, "a.nii.gz"), REFERENCE);
    await write(join(own, "b.png"), [0, 1, 2, 0], { shape: [1, 2, 2] });
    await write(join(own, "confusion.png"), [0, 1, 2, 0], { shape: [1, 2, 2] });
    const list = async () => ["a.nii.gz", "b.png"].map((name) => ({ id: name[0]!, images: [], label: join(name === "b.png" ? own : truth, name) }));
    const { rows, summary } = await evaluate({ predictions: own, labels: { classes: CLASSES, channels: 1, list }, classes: CLASSES });
    expect([...new Set(rows.map((row) => row.id))]).toEqual(["a", "b"]);
    expect(summary.missing).toEqual([]);
  });

  it("reads references in KiTS layout and from data sets, and writes nothing unless asked", async () => {
    const kits = join(folder, "kits");
    await write(join(kits, "a", "segmentation.nii.gz"), REFERENCE);
    const before = readdirSync(folder, { recursive: true }).length;
    const { summary, files } = await evaluate({ predictions, labels: kits, classes: CLASSES, ids: ["a"] });
    expect(summary.classes.tumor!.metrics.dice!.mean).toBe(1);
    expect(files).toEqual([]);
    expect(readdirSync(folder, { recursive: true })).toHaveLength(before);
    const data = { classes: CLASSES, channels: 1, list: async () => [{ id: "a", images: [], label: join(kits, "a", "segmentation.nii.gz") }] };
    expect((await evaluate({ predictions, labels: data, ids: ["a"] })).summary.classes.kidney!.metrics.dice!.mean).toBeCloseTo(0.75, 12);
  });

  it("reads references listed in a CSV manifest, whatever the files are called", async () => {
    const other = join(folder, "manifest");
    await write(join(other, "a_seg.nii.gz"), REFERENCE);
    writeFileSync(join(other, "list.csv"), "id,image,label\na,a.nii.gz,a_seg.nii.gz\n");
    const { summary } = await evaluate({ predictions, labels: join(other, "list.csv"), classes: CLASSES, ids: ["a"] });
    expect(summary.classes.kidney!.metrics.dice!.mean).toBeCloseTo(0.75, 12);
    await expect(evaluate({ predictions, labels: join(other, "a_seg.nii.gz"), classes: CLASSES })).rejects.toThrow(
      "labels must be a folder, or a CSV manifest with the columns id,image,label",
    );
  });

  it("wrong options are named", async () => {
    await expect(evaluate({ predictions, labels, tolerence: 2 } as never)).rejects.toThrow(/^evaluate: .* did you mean tolerance\?$/);
    await expect(evaluate({ predictions, labels })).rejects.toThrow(
      "evaluate: classes must be at least two class names, the background first, got []",
    );
    await expect(evaluate({ predictions, labels, classes: CLASSES, regions: { all: [1, 5] } })).rejects.toThrow(
      "regions.all must be labels 0..2, got [1,5]",
    );
    await expect(evaluate({ predictions: join(folder, "nowhere"), labels, classes: CLASSES })).rejects.toMatchObject({ code: "ERR_READ" });
    await expect(evaluate({ predictions, labels: join(folder, "nowhere"), classes: CLASSES })).rejects.toMatchObject({ code: "ERR_READ" });
  });
});

describe("summarizeValues", () => {
  it("leaves NaN out and says how many count", () => {
    expect(summarizeValues([1, Number.NaN, 3])).toMatchObject({ n: 2, mean: 2, median: 2, std: Math.SQRT2, min: 1, max: 3 });
    expect(summarizeValues([Number.NaN])).toEqual({ n: 0, mean: null, median: null, std: null, min: null, max: null, interval: null });
    expect(summarizeValues([5])).toMatchObject({ n: 1, mean: 5, std: null, interval: null });
  });

  it("the interval holds the mean, is narrow for equal values, and is the same every time", () => {
    const values = Array.from({ length: 30 }, (_, i) => Math.sin(i));
    const { interval, mean } = summarizeValues(values);
    expect(interval![0]).toBeLessThan(mean!);
    expect(interval![1]).toBeGreaterThan(mean!);
    // Normal theory: ±1.96 s/√n; the bootstrap comes close.
    const half = (1.96 * summarizeValues(values).std!) / Math.sqrt(30);
    expect((interval![1] - interval![0]) / 2).toBeGreaterThan(half * 0.85);
    expect((interval![1] - interval![0]) / 2).toBeLessThan(half * 1.1);
    expect(summarizeValues(values).interval).toEqual(interval);
    expect(summarizeValues([0.5, 0.5, 0.5]).interval).toEqual([0.5, 0.5]);
  });
});
