import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CustomCase, DataSet } from "../../src/core/case.js";
import type { Affine } from "../../src/core/geometry.js";
import type { Sample } from "../../src/core/sample.js";
import { canonicalCase } from "../../src/io/canonical-case.js";
import { loadCase } from "../../src/io/load-case.js";
import { readHeader } from "../../src/io/read-header.js";
import { readLabel } from "../../src/io/read-label.js";
import { writeVolume } from "../../src/io/write-volume.js";
import { cases, load } from "../../src/operators/index.js";
import { dataOf } from "../operators/augment/augmented.js";
import { collect, contextOf } from "../operators/run-graph.js";
import { niftiBytes } from "./nifti-bytes.js";
import { scratchFolder } from "./scratch-folder.js";

const { root, put } = scratchFolder();
const CLASSES = ["background", "organ", "lesion"];
const SHAPE = [5, 4, 3] as const; // Along i, j, k.
const intensities = Float32Array.from({ length: 60 }, (_, n) => (n * 37) % 101);
const labels = Uint8Array.from({ length: 60 }, (_, n) => (n * 7) % 3);

/** Rows of the affine, each with the orientation that it has. */
const ORIENTATIONS: readonly (readonly [string, readonly number[]])[] = [
  ["RAS", [1.5, 0, 0, -20, 0, 1.5, 0, -30, 0, 0, 3, 40]],
  ["LPS", [-1.5, 0, 0, 20, 0, -1.5, 0, 30, 0, 0, 3, 40]],
  ["IPL", [0, 0, -0.75, 12, 0, -0.75, 0, 13, -3, 0, 0, 14]],
  ["ASR", [0, 0, 2, 1, 1, 0, 0, 2, 0, 3, 0, 3]],
  ["ILP", [0, -1.88, 1.03, 5, 0, -0.68, -2.82, 6, -1, 0, 0, 7]],
];

/** What a reader of another format delivers: voxels as they lie in the file, i the fastest, and where they are. */
function delivered(rows: readonly number[]): CustomCase {
  const shape = [SHAPE[2], SHAPE[1], SHAPE[0], 1] as const;
  const affine = [...rows, 0, 0, 0, 1] as unknown as Affine;
  return { image: { data: intensities, shape, affine }, label: { data: labels, shape } };
}

const dataSet = (custom: CustomCase): DataSet => ({
  classes: CLASSES,
  channels: 1,
  list: async () => [{ id: "own", images: [] }],
  read: async () => custom,
});

async function loaded(data: DataSet) {
  const flow = cases(data, { refs: await data.list() }).pipe(load());
  const [sample] = await collect(flow, contextOf(), (one: Sample) => ({
    voxels: dataOf(one).map((array) => [...array]),
    shape: one.image.shape,
    geometry: one.image.geometry,
    source: one.source!,
  }));
  return sample!;
}

describe("arrays of a reader of one's own", () => {
  it.each(ORIENTATIONS)("%s: are turned as the same voxels in a NIfTI file are, and go back to where they were", async (orientation, rows) => {
    const image = put("image.nii", niftiBytes({ shape: SHAPE, dtype: "float32", values: intensities, srow: rows }));
    const label = put("label.nii", niftiBytes({ shape: SHAPE, dtype: "uint8", values: labels, srow: rows }));
    const file: DataSet = { classes: CLASSES, channels: 1, list: async () => [{ id: "own", images: [image], label }] };
    const [own, expected] = [await loaded(dataSet(delivered(rows))), await loaded(file)];
    expect(own.voxels).toEqual(expected.voxels);
    expect(own.shape).toEqual(expected.shape);
    own.geometry.affine.forEach((value, n) => {
      // The file's numbers are float32.
      expect(value).toBeCloseTo(expected.geometry.affine[n]!, 5);
    });
    expect(own.source).toMatchObject({ orientation, axes: expected.source.axes, shape: SHAPE });
    expect((await loadCase(dataSet(delivered(rows)), { id: "own", images: [] })).orientation).toBe(orientation);

    const path = join(root, "prediction.nii");
    await writeVolume(path, Uint8Array.from(own.voxels[1]!), own.shape, own.source, { kind: "label" });
    const written = await readHeader(path);
    expect(written.source.affine.slice(0, 12)).toEqual(rows.map(Math.fround));
    const back = new Uint8Array(60);
    readLabel(written, back);
    expect([...back]).toEqual(own.voxels[1]);
    expect(written.source.shape).toEqual(SHAPE);
  });

  it("that lie right already, or have no affine, are handed on without a copy", () => {
    const right = delivered(ORIENTATIONS[0]![1]);
    expect(canonicalCase(right, "own").custom).toBe(right);
    const { affine: _, ...image } = right.image;
    const plain = canonicalCase({ image }, "own");
    expect(plain.custom.image).toBe(image);
    expect(plain.source).toBeUndefined();
    expect(plain.geometry.spacing).toEqual([1, 1, 1]);
  });

  it("keep the channels of a voxel together", () => {
    const shape = [1, 2, 2, 2] as const;
    const affine: Affine = [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const { custom } = canonicalCase({ image: { data: Int16Array.of(1, 2, 3, 4, 5, 6, 7, 8), shape, affine } }, "own");
    expect(custom.image.data).toEqual(Int16Array.of(3, 4, 1, 2, 7, 8, 5, 6));
  });

  it("with an affine that is flat or not finite are refused by name", async () => {
    const flat = delivered([1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0]);
    await expect(loaded(dataSet(flat))).rejects.toThrow(
      "load: the affine must be 16 finite numbers, four rows of four, and invertible, got [1 0 0 0 2 0 0 0 0 0 1 0 0 0 0 1] (sample own)",
    );
    await expect(loaded(dataSet(delivered([Number.NaN, ...ORIENTATIONS[0]![1].slice(1)])))).rejects.toMatchObject({ code: "ERR_GEOMETRY" });
  });
});
