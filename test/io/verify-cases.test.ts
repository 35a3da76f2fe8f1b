import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import { inspectCases, niftiCases, verifyCases } from "../../src/io/index.js";
import { niftiBytes } from "./nifti-bytes.js";
import { scratchFolder } from "./scratch-folder.js";

const { root, put } = scratchFolder();
const CLASSES = ["background", "kidney", "tumor"];
const shape = [4, 3, 2];
const values = Array.from({ length: 24 }, (_, n) => n - 10);
const labels = Array.from({ length: 24 }, (_, n) => (n < 20 ? 0 : n < 23 ? 1 : 2));

const image = gzipSync(niftiBytes({ shape, values, srow: [-2, 0, 0, 0, 0, -2, 0, 0, 0, 0, 5, 0] }));
const label = gzipSync(niftiBytes({ shape, values: labels, dtype: "uint8", srow: [-2, 0, 0, 0, 0, -2, 0, 0, 0, 0, 5, 0] }));
const at = (id: string, file: string): string => join(root, "cases", id, file);
const make = (id: string, imaging: Uint8Array, segmentation?: Uint8Array): void => {
  put(join("cases", id, "imaging.nii.gz"), imaging);
  if (segmentation) put(join("cases", id, "segmentation.nii.gz"), segmentation);
};
make("a_good", image, label);
make(
  "b_cut",
  image.subarray(0, image.length - 10),
  gzipSync(niftiBytes({ shape, values: labels.map((value) => value * 4), dtype: "uint8", srow: [-2, 0, 0, 0, 0, -2, 0, 0, 0, 0, 5, 0] })),
);
make("c_unlabelled", image);
make(
  "d_constant",
  gzipSync(niftiBytes({ shape, values: values.map(() => 7) })),
  gzipSync(niftiBytes({ shape, values: values.map(() => 0), dtype: "uint8" })),
);
make(
  "e_flat",
  gzipSync(niftiBytes({ shape, values, srow: [0.005, 0, 0, 0, 0, 0.005, 0, 0, 0, 0, 3, 0] })),
  gzipSync(niftiBytes({ shape, values: labels, srow: [0.005, 0, 0, 0, 0, 0.005, 0, 0, 0, 0, 3, 0] })),
);
const data = niftiCases({ root: join(root, "cases"), classes: CLASSES });

describe("verifyCases", () => {
  it("lists every fault with its file and a fix, and goes on", async () => {
    const seen: [string, number][] = [];
    const findings = await verifyCases(data, { onCase: (id, found) => seen.push([id, found.length]) });
    expect(findings).toEqual([
      {
        id: "b_cut",
        file: at("b_cut", "imaging.nii.gz"),
        code: "ERR_TRUNCATED",
        severity: "error",
        message: `${at("b_cut", "imaging.nii.gz")}: the gzip data must be complete, got the end of the file in the middle of it`,
        fix: "copy or download the file again",
      },
      {
        id: "b_cut",
        file: at("b_cut", "segmentation.nii.gz"),
        code: "ERR_LABEL",
        severity: "error",
        message: `${at("b_cut", "segmentation.nii.gz")}: labels must be declared classes (0 background, 1 kidney, 2 tumor), got also 4, 8; declare them, or map labels with mapLabels`,
        fix: "declare all classes, or map labels with mapLabels",
      },
      {
        id: "c_unlabelled",
        file: at("c_unlabelled", "imaging.nii.gz"),
        code: "ERR_LABEL",
        severity: "error",
        message: `${at("c_unlabelled", "imaging.nii.gz")}: a case must have a label file, got none`,
        fix: "add the label beside the image, or leave the case out of training",
      },
      {
        id: "d_constant",
        file: at("d_constant", "imaging.nii.gz"),
        severity: "warning",
        message: `${at("d_constant", "imaging.nii.gz")}: all voxels have the same value 7`,
        fix: "check that the image was exported with its data",
      },
      {
        id: "d_constant",
        file: at("d_constant", "segmentation.nii.gz"),
        severity: "warning",
        message: `${at("d_constant", "segmentation.nii.gz")}: the label map has no foreground`,
        fix: "check the label; skipBlank leaves such patches out",
      },
      {
        id: "e_flat",
        file: at("e_flat", "imaging.nii.gz"),
        severity: "warning",
        message: `${at("e_flat", "imaging.nii.gz")}: the voxel sides differ by more than 10 times (3 x 0.005 x 0.005 mm)`,
        fix: "check the header; resample to a common spacing",
      },
      {
        id: "e_flat",
        file: at("e_flat", "imaging.nii.gz"),
        severity: "warning",
        message: `${at("e_flat", "imaging.nii.gz")}: a voxel side of 3 x 0.005 x 0.005 mm is unusual`,
        fix: "check that the header gives millimeters",
      },
    ]);
    expect(seen).toEqual([
      ["a_good", 0],
      ["b_cut", 2],
      ["c_unlabelled", 1],
      ["d_constant", 2],
      ["e_flat", 2],
    ]);
    const lenient = await verifyCases(data, { needsLabel: false });
    expect(lenient.find(({ id }) => id === "c_unlabelled")?.severity).toBe("warning");
  });
});

describe("inspectCases", () => {
  it("lists shapes, spacing, orientation, intensities and classes, with totals", async () => {
    const { cases, failed, totals, classes } = await inspectCases(data);
    expect(classes).toEqual(CLASSES);
    expect(cases[0]).toEqual({
      id: "a_good",
      shape: [2, 3, 4, 1],
      spacing: [5, 2, 2],
      orientation: "LPS",
      dtype: "int16",
      bytes: { image: image.length, label: label.length },
      channels: [
        {
          min: -10,
          max: 13,
          mean: 1.5,
          std: expect.closeTo(Math.sqrt((24 ** 2 - 1) / 12), 6),
          percentiles: expect.any(Array),
          // Labels 0, 1, 2 lie on the values -10..9, 10..12 and 13.
          classes: [
            { min: -10, max: 9, mean: expect.closeTo(-0.5, 9), std: expect.closeTo(Math.sqrt((20 ** 2 - 1) / 12), 9) },
            { min: 10, max: 12, mean: expect.closeTo(11, 9), std: expect.closeTo(Math.sqrt(2 / 3), 9) },
            { min: 13, max: 13, mean: 13, std: 0 },
          ],
        },
      ],
      classVoxels: [20, 3, 1],
    });
    // numpy 2: percentile(arange(-10, 14), [0.5, 5, 50, 95, 99.5])
    [-9.885, -8.85, 1.5, 11.85, 12.885].forEach((value, n) => {
      expect(cases[0]!.channels[0]!.percentiles[n]).toBeCloseTo(value, 4);
    });
    expect(failed.map(({ id }) => id)).toEqual(["b_cut"]);
    expect(totals).toEqual({
      cases: 4,
      labelled: 3,
      voxels: 96,
      minShape: [2, 3, 4],
      maxShape: [2, 3, 4],
      medianShape: [2, 3, 4],
      medianSpacing: expect.anything(),
      classVoxels: [64, 6, 2],
      classCases: [3, 2, 2],
      classVolumes: [
        [expect.closeTo(20 * 0.005 * 0.005 * 3, 9), expect.any(Number), 20 * 20],
        [expect.closeTo(3 * 0.005 * 0.005 * 3, 9), expect.any(Number), 3 * 20],
        [expect.closeTo(0.005 * 0.005 * 3, 9), expect.any(Number), 20],
      ],
      range: [[-10, 13]],
      channels: [
        {
          range: [-10, 13],
          // The constant case has nothing but 7.
          sharedRange: [7, 7],
          histogram: { width: expect.any(Number), first: expect.any(Number), counts: expect.any(Array) },
          classes: [
            expect.objectContaining({ min: -10, max: 9 }),
            expect.objectContaining({ min: 10, max: 12 }),
            expect.objectContaining({ min: 13, max: 13, std: 0 }),
          ],
        },
      ],
      bytes: { image: expect.any(Number), label: expect.any(Number) },
      foreground: { low: [expect.any(Number)], high: [expect.any(Number)], mean: [expect.any(Number)], deviation: [expect.any(Number)] },
    });
    expect(totals.medianSpacing[0]).toBeCloseTo(4, 6);
    const { histogram, classes: perClass } = totals.channels[0]!;
    expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(96);
    // Of the labelled cases: 20 background voxels in two, 24 in the constant one.
    expect(perClass.map((own) => own!.histogram.counts.reduce((sum, count) => sum + count, 0))).toEqual([64, 6, 2]);
    expect(perClass[0]!.mean).toBeCloseTo((2 * 20 * -0.5 + 24 * 7) / 64, 9);
  });

  it("reads a custom data set through its own reader, channel by channel", async () => {
    const custom: DataSet = {
      classes: CLASSES,
      channels: 2,
      list: async () => [{ id: "memory", images: [] }],
      read: async () => ({
        image: { data: Int16Array.of(1, 10, 2, 20, 3, 30), shape: [1, 1, 3, 2] },
        label: { data: Int32Array.of(0, 2, 2), shape: [1, 1, 3, 1] },
      }),
    };
    const { cases, failed } = await inspectCases(custom);
    expect(failed).toEqual([]);
    expect(cases[0]).toMatchObject({ dtype: "int16", orientation: "RAS", spacing: [1, 1, 1], classVoxels: [1, 0, 2] });
    expect(cases[0]!.channels.map(({ min, max, mean }) => [min, max, mean])).toEqual([
      [1, 3, 2],
      [10, 30, 20],
    ]);
    expect(await verifyCases(custom)).toEqual([]);
  });
});
