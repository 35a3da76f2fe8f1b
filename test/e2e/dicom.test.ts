import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dicomCases } from "../../src/io/dicom/dicom-cases.js";
import { loadCase } from "../../src/io/load-case.js";
import { readHeader } from "../../src/io/read-header.js";
import { writeVolume } from "../../src/io/write-volume.js";
import { labelOf } from "../io/dicom/fixture/volume-of.js";
import { writeSegments, writeStructures } from "../io/dicom/fixture/write-labels.js";
import { type WriteSeriesOptions, writeSeries } from "../io/dicom/fixture/write-series.js";
import { runCli } from "./fixture/run-cli.js";
import { smallConfig } from "./fixture/small-config.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-dicom-"));
const at = (...parts: string[]): string => join(root, ...parts);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CLASSES = ["background", "kidney", "tumor"];
const shape = [20, 18, 10] as const;
const [c, s] = [Math.cos(0.3), Math.sin(0.3)];

/** Three patients: axial from top to bottom, sagittal and compressed, tilted in the scanner. */
const PATIENTS: Readonly<Record<string, Pick<WriteSeriesOptions, "orientation" | "step" | "origin" | "syntax">>> = {
  patient_a: { orientation: [1, 0, 0, 0, 1, 0], step: [0, 0, -3], origin: [-20, -10, 100] },
  patient_b: { orientation: [0, 1, 0, 0, 0, -1], step: [-1, 0, 0], origin: [15, -30, 40], syntax: "jpegLs" },
  patient_c: { orientation: [1, 0, 0, 0, c, s], step: [0, -2 * s, 2 * c], origin: [0, 5, -50], syntax: "rle" },
};
const [betweenRows, betweenColumns] = [0.8, 0.7];

/** Where a voxel lies, from the slice that was written first: computed from the attributes alone. */
function place(id: string, i: number, j: number, k: number): number[] {
  const { orientation, step, origin } = PATIENTS[id]!;
  return [0, 1, 2].map(
    (axis) => origin![axis]! + i * betweenColumns * orientation![axis]! + j * betweenRows * orientation![3 + axis]! + k * step![axis]!,
  );
}

const isKidney = (i: number, j: number, k: number): boolean => i >= 4 && i < 14 && j >= 5 && j < 13 && k >= 2 && k < 8;
const isTumor = (i: number, j: number, k: number): boolean => i >= 7 && i < 10 && j >= 8 && j < 11 && k >= 3 && k < 6;
const each = <T>(visit: (i: number, j: number, k: number) => T): T[] =>
  Array.from({ length: 20 * 18 * 10 }, (_, n) => visit(n % 20, Math.floor(n / 20) % 18, Math.floor(n / 360)));

beforeAll(() => {
  for (const [id, options] of Object.entries(PATIENTS)) {
    const stored = Int16Array.from(each((i, j, k) => (isTumor(i, j, k) ? 1200 : isKidney(i, j, k) ? 1100 : 900) + ((31 * i + 17 * j + 7 * k) % 40)));
    writeSeries({ folder: at("data", id, "CT"), shape, stored, spacing: [betweenRows, betweenColumns], series: `1.2.${id.length}.7`, ...options });
    const box = (i0: number, j0: number, i1: number, j1: number, k: number): number[] =>
      [place(id, i0, j0, k), place(id, i1, j0, k), place(id, i1, j1, k), place(id, i0, j1, k)].flat();
    const kidney = Array.from({ length: 6 }, (_, n) => box(3.5, 4.5, 13.5, 12.5, n + 2));
    const tumor = Array.from({ length: 3 }, (_, n) => box(6.5, 7.5, 9.5, 10.5, n + 3));
    if (id === "patient_b") {
      const frame = (segment: number, inside: typeof isTumor) => (k: number) => ({
        segment,
        position: place(id, 0, 0, k),
        pixels: Array.from({ length: 360 }, (_, n) => (inside(n % 20, Math.floor(n / 20), k) ? 1 : 0)),
      });
      const frames = [...[2, 3, 4, 5, 6, 7].map(frame(1, isKidney)), ...[3, 4, 5].map(frame(2, isTumor))];
      writeSegments(at("data", id, "seg"), { segments: ["Kidney", "Tumor"], shape: [20, 18], frames, orientation: options.orientation! });
    } else {
      writeStructures(at("data", id, "RS.dcm"), [
        { name: "Tumor", contours: tumor },
        { name: "Kidney", contours: kidney },
      ]);
    }
  }
});

/** Without negative zeros. */
const rounded = (value: number): string => (Math.round(value * 1e9) / 1e9 + 0).toFixed(9);

/** Rows of the affine in RAS+, from the voxel that comes first in the file that was written. */
function expectedAffine(id: string, isReversed: boolean): number[] {
  const first = place(id, 0, 0, isReversed ? 9 : 0);
  const toward = (i: number, j: number, k: number): number[] => place(id, i, j, isReversed ? 9 - k : k).map((value, axis) => value - first[axis]!);
  const columns = [toward(1, 0, 0), toward(0, 1, 0), toward(0, 0, 1), first];
  return [0, 1, 2].flatMap((axis) => columns.map((column) => (axis === 2 ? 1 : -1) * column[axis]!)).concat([0, 0, 0, 1]);
}

describe("a folder of DICOM cases", () => {
  it("has labels on the voxels of its series, and files written on its grid hold the same voxels", async () => {
    const data = dicomCases({ root: at("data"), classes: CLASSES });
    for (const ref of await data.list()) {
      const header = await readHeader(ref.images[0]!);
      // Slices are sorted along their normal, whichever way they were written.
      const isReversed = ref.id === "patient_a";
      expect(header.source.affine.map((value) => rounded(value))).toEqual(expectedAffine(ref.id, isReversed).map((value) => rounded(value)));
      const { voxels } = await labelOf(ref.label!);
      const wanted = each((i, j, n) => {
        const k = isReversed ? 9 - n : n;
        return isTumor(i, j, k) ? 2 : isKidney(i, j, k) ? 1 : 0;
      });
      expect(voxels).toEqual(wanted);
      const { label, shape: canonical } = await loadCase(data, ref);
      const path = at("written", `${ref.id}.nii.gz`);
      await writeVolume(path, label!, [canonical[0], canonical[1], canonical[2], 1], header.source, { kind: "label" });
      const written = await labelOf(path);
      expect(written.voxels).toEqual(wanted);
      expect(written.header.source.shape).toEqual(shape);
      for (const [n, value] of written.header.source.affine.entries()) expect(value).toBeCloseTo(header.source.affine[n]!, 4);
    }
  });

  it("is inspected, verified, trained on, predicted and evaluated from the command line", { timeout: 300_000 }, async () => {
    const classes = ["--classes", CLASSES.join(",")];
    const inspected = await runCli(["inspect", at("data"), ...classes, "--json"]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ totals: { cases: 3, labelled: 3, classCases: [3, 3, 3], classVoxels: [9360, 1359, 81] } });
    expect(await runCli(["verify", at("data"), ...classes])).toMatchObject({ code: 0 });

    const config = smallConfig(root, { root: at("data"), preprocessing: 'cached(load(), normalize({ mode: "z-score" })),' });
    writeFileSync(config, readFileSync(config, "utf8").replaceAll("niftiCases", "dicomCases"));
    const trained = await runCli(["train", config, "--json"]);
    expect([trained.code, trained.stderr]).toEqual([0, expect.not.stringContaining("skipped")]);
    expect(JSON.parse(trained.stdout)).toMatchObject({ status: "completed", steps: 3 });

    const predicted = await runCli(["predict", at("runs", "small", "checkpoints", "best"), "-i", at("data"), "-o", at("out"), "--json"]);
    expect(JSON.parse(predicted.stdout)).toMatchObject({ written: ["patient_a", "patient_b", "patient_c"], failed: [] });
    for (const id of Object.keys(PATIENTS)) {
      const [source, prediction] = [await readHeader(at("data", id)), await readHeader(at("out", `${id}.nii.gz`))];
      expect(prediction.source.shape).toEqual(shape);
      for (const [n, value] of prediction.source.affine.entries()) expect(value).toBeCloseTo(source.source.affine[n]!, 4);
    }
    const evaluated = await runCli(["evaluate", at("out"), at("data"), ...classes, "--json"]);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ cases: 3, missing: [], failed: [] });
    // What was written above from the labels themselves is right in every voxel.
    const perfect = await runCli(["evaluate", at("written"), at("data"), ...classes, "--json"]);
    const score = { metrics: { dice: { n: 3, min: 1 } } };
    expect(JSON.parse(perfect.stdout)).toMatchObject({ classes: { kidney: score, tumor: score } });
  });

  it("with a bad case trains on the others, where that is allowed, and says why", { timeout: 300_000 }, async () => {
    const folder = at("data", "patient_d");
    writeSeries({ folder, shape, stored: new Int16Array(3600), name: (k) => `${k}`, step: [0, 0, 3] });
    rmSync(join(folder, "4"));
    writeStructures(join(folder, "RS"), [
      { name: "Kidney", contours: [] },
      { name: "Tumor", contours: [] },
    ]);
    const config = smallConfig(root, { name: "bad", root: at("data"), fields: 'onError: "skip",' });
    writeFileSync(config, readFileSync(config, "utf8").replaceAll("niftiCases", "dicomCases"));
    const { code, stderr } = await runCli(["train", config]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/patient_d.*got 6 mm between 3 and 5: 1 slice is missing/)]);
    rmSync(folder, { recursive: true });
  });
});
