import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SourceGrid } from "../../../src/core/geometry.js";
import { elementCount, type Shape4 } from "../../../src/core/shape.js";
import { readHeader } from "../../../src/io/read-header.js";
import { readLabel } from "../../../src/io/read-label.js";
import { readVolume } from "../../../src/io/read-volume.js";
import { writeVolume } from "../../../src/io/write-volume.js";
import { STORED_BYTES, type StoredDtype } from "../../../src/kernels/decode/reference.js";
import { niftiBytes } from "../nifti-bytes.js";
import { scratchFolder } from "../scratch-folder.js";

const { root, put } = scratchFolder();

const turn20 = [Math.cos(Math.PI / 9), Math.sin(Math.PI / 9)] as const;
/** Rows of the sform for each orientation. */
const ORIENTATIONS: Readonly<Record<string, readonly number[]>> = {
  RAS: [1.5, 0, 0, -20, 0, 1.5, 0, -30, 0, 0, 3, 40],
  LPS: [-1.5, 0, 0, 20, 0, -1.5, 0, 30, 0, 0, 3, 40],
  IPL: [0, 0, -0.75, 12, 0, -0.75, 0, 13, -3, 0, 0, 14],
  ASR: [0, 0, 2, 1, 1, 0, 0, 2, 0, 3, 0, 3],
  "20° oblique": [1.5 * turn20[0], -1.5 * turn20[1], 0, -20, 1.5 * turn20[1], 1.5 * turn20[0], 0, -30, 0, 0, 3, 40],
  "20° oblique, permuted": [0, -2 * turn20[0], 3 * turn20[1], 5, 0, -2 * turn20[1], -3 * turn20[0], 6, -1, 0, 0, 7],
};
/** Largest stored value that each type holds exactly, here. */
const RANGES: Readonly<Record<StoredDtype, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 53), 2 ** 53],
  uint64: [0, 2 ** 53],
  float32: [-1e6, 1e6],
  float64: [-1e6, 1e6],
};

const files = fc
  .record({
    version: fc.constantFrom(1 as const, 2 as const),
    littleEndian: fc.boolean(),
    dtype: fc.constantFrom(...(Object.keys(STORED_BYTES) as StoredDtype[])),
    orientation: fc.constantFrom(...Object.keys(ORIENTATIONS)),
    shape: fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
      fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 })),
      fc.tuple(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constant(1),
        fc.integer({ min: 1, max: 3 }),
      ),
    ),
    scaling: fc.constantFrom([0, 5], [1, 0], [Number.NaN, 3], [2, -1024], [0.25, Number.POSITIVE_INFINITY]),
    seed: fc.integer({ min: 1, max: 1e6 }),
    compressed: fc.boolean(),
  })
  .map((options) => {
    const [min, max] = RANGES[options.dtype];
    const values = Float64Array.from({ length: elementCount(options.shape) }, (_, n) => {
      const share = ((Math.imul(n + options.seed, 2654435761) >>> 0) % 1000) / 999;
      return options.dtype.startsWith("float") ? Math.fround(min + share * (max - min)) : Math.round(min + share * (max - min));
    });
    return { ...options, values };
  });

/** The canonical array by the definition: each voxel goes where its position in space is. */
function expected(source: SourceGrid, shape: Shape4, values: ArrayLike<number>, slope: number, intercept: number): Float32Array {
  const [ni, nj, nk] = source.shape;
  const [, height, width, channels] = shape;
  const out = new Float32Array(elementCount(shape));
  for (let c = 0; c < channels; c++) {
    for (let k = 0; k < nk; k++) {
      for (let j = 0; j < nj; j++) {
        for (let i = 0; i < ni; i++) {
          const file = [i, j, k];
          const [x, y, z] = source.axes.map(({ axis, flipped }) => (flipped ? source.shape[axis] - 1 - file[axis]! : file[axis]!));
          out[((z! * height + y!) * width + x!) * channels + c] = slope * values[((c * nk + k) * nj + j) * ni + i]! + intercept;
        }
      }
    }
  }
  return out;
}

describe("reading", () => {
  it("gives every voxel of any type, byte order, version, scaling and orientation at its canonical place", async () => {
    await fc.assert(
      fc.asyncProperty(files, async (file) => {
        const bytes = niftiBytes({ ...file, slope: file.scaling[0]!, intercept: file.scaling[1]!, srow: ORIENTATIONS[file.orientation]! });
        const path = put(file.compressed ? "any.nii.gz" : "any.nii", file.compressed ? gzipSync(bytes) : bytes);
        const header = await readHeader(path);
        const slope = Number.isFinite(file.scaling[0]) && file.scaling[0] !== 0 ? file.scaling[0]! : 1;
        const scales = slope !== 1 || file.scaling[0] === 1;
        const intercept = scales && Number.isFinite(file.scaling[1]) ? file.scaling[1]! : 0;
        const target = new Float32Array(elementCount(header.shape));
        readVolume(header, target);
        expect(target).toEqual(expected(header.source, header.shape, file.values, slope, intercept));
        expect(header.shape[3]).toBe(Math.max(file.shape[3] ?? 1, file.shape[4] ?? 1));
        expect(header.dtype).toBe(file.dtype);
      }),
      { numRuns: 150 },
    );
  });

  it("turns oblique files to the nearest orientation and gives spacing as z, y, x", async () => {
    const path = put("oblique.nii", niftiBytes({ shape: [4, 5, 6], srow: ORIENTATIONS["20° oblique, permuted"]! }));
    const { source, geometry, shape } = await readHeader(path);
    expect(source.orientation).toBe("ILP");
    expect(shape).toEqual([4, 6, 5, 1]);
    geometry.spacing.forEach((side, n) => {
      expect(side).toBeCloseTo([1, 3, 2][n]!, 6);
    });
  });

  it("reads gzip files of several members", async () => {
    const bytes = niftiBytes({ shape: [8, 8, 8] });
    const members = [bytes.subarray(0, 100), bytes.subarray(100, 700), bytes.subarray(700)].map((part) => gzipSync(part));
    const header = await readHeader(put("members.nii.gz", Buffer.concat(members)));
    const target = new Float32Array(512);
    readVolume(header, target);
    expect([...target]).toEqual(Array.from({ length: 512 }, (_, n) => n % 120));
  });

  it("ignores padding after the gzip data, and a gzip name before it", async () => {
    const bytes = gzipSync(niftiBytes({ shape: [8, 8, 8] }));
    const named = Buffer.concat([
      bytes.subarray(0, 3),
      Buffer.from([8]),
      bytes.subarray(4, 10),
      Buffer.from("a long file name.nii\0"),
      bytes.subarray(10),
    ]);
    const header = await readHeader(put("padded.nii.gz", Buffer.concat([named, Buffer.alloc(4), Buffer.alloc(512)])));
    readVolume(header, new Float32Array(512));
  });

  it("reads a planar image with depth 1", async () => {
    const header = await readHeader(put("plane.nii", niftiBytes({ shape: [3, 2], srow: [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] })));
    expect(header.shape).toEqual([1, 2, 3, 1]);
    expect(header.source.dimensions).toBe(2);
    const target = new Float32Array(6);
    readVolume(header, target);
    expect([...target]).toEqual([2, 1, 0, 5, 4, 3]);
  });

  it("skips header extensions", async () => {
    const header = await readHeader(put("extended.nii", niftiBytes({ shape: [2, 2, 2], voxOffset: 4096 })));
    const target = new Float32Array(8);
    readVolume(header, target);
    expect([...target]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("puts several files side by side as channels", async () => {
    const target = new Float32Array(16).fill(-1);
    for (const first of [0, 1]) {
      const header = await readHeader(
        put(`channel${first}.nii`, niftiBytes({ shape: [2, 2, 2], values: [0, 1, 2, 3, 4, 5, 6, 7].map((v) => v + 10 * first) })),
      );
      readVolume(header, target, { channels: { first, of: 2 } });
    }
    expect([...target]).toEqual([0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15, 6, 16, 7, 17]);
  });
});

describe("writing", () => {
  it.each(Object.keys(ORIENTATIONS))("gives the label file back voxel for voxel: %s", async (orientation) => {
    for (const version of [1, 2] as const) {
      for (const form of ["sform", "qform", "both"] as const) {
        const values = Array.from({ length: 7 * 5 * 6 }, (_, n) => (n * 7) % 3);
        const bytes = niftiBytes({
          version,
          dtype: "uint8",
          shape: [7, 5, 6],
          values,
          srow: ORIENTATIONS[orientation]!,
          sformCode: form === "qform" ? 0 : 1,
          qformCode: form === "sform" ? 0 : 3,
          quaternion: [0.1, -0.2, 0.3],
          qoffset: [10, -20, 30],
          pixdim: [-1, 0.8, 0.9, 2.5, 0, 0, 0, 0],
          units: 10,
        });
        const original = put("label.nii.gz", gzipSync(bytes));
        const header = await readHeader(original);
        const labels = new Uint8Array(values.length);
        readLabel(header, labels);
        const written = join(root, "out/prediction.nii.gz");
        await writeVolume(written, labels, header.shape, header.source, { kind: "label" });

        const copy = gunzipSync(readFileSync(written));
        const offset = version === 1 ? 352 : 544;
        expect([...copy.subarray(offset)]).toEqual(values);
        const again = await readHeader(written);
        expect(again.dtype).toBe("uint8");
        expect({ ...again.source, path: "" }).toEqual({ ...header.source, path: "" });
        expect(again.geometry).toEqual(header.geometry);
      }
    }
  });

  it("writes labels as the smallest unsigned type and always 3D", async () => {
    const { source } = await readHeader(put("grid.nii", niftiBytes({ shape: [2, 1, 1, 3] })));
    for (const [labels, dtype] of [
      [Uint8Array.of(0, 255), "uint8"],
      [Uint16Array.of(3, 4), "uint8"],
      [Uint16Array.of(0, 256), "uint16"],
      [Int32Array.of(0, 70000), "uint32"],
      [Float32Array.of(1, 2), "uint8"],
    ] as const) {
      const path = join(root, "typed.nii");
      await writeVolume(path, labels, [1, 1, 2, 1], source, { kind: "label" });
      const header = await readHeader(path);
      expect(header.dtype).toBe(dtype);
      expect(readFileSync(path).readInt16LE(40)).toBe(3);
    }
  });

  it("writes floats of several channels as 4D, and they come back exactly", async () => {
    const { source, shape } = await readHeader(put("grid.nii", niftiBytes({ shape: [3, 4, 5], srow: ORIENTATIONS.IPL! })));
    const full: Shape4 = [shape[0], shape[1], shape[2], 2];
    const data = Float32Array.from({ length: elementCount(full) }, (_, n) => Math.sin(n));
    const path = join(root, "probabilities.nii.gz");
    await writeVolume(path, data, full, source, { kind: "float" });
    const header = await readHeader(path);
    expect(header.source.shape).toEqual([3, 4, 5]);
    expect(header.shape).toEqual(full);
    const back = new Float32Array(data.length);
    readVolume(header, back);
    expect(back).toEqual(data);
  });

  it("rounds and clamps CT values to int16", async () => {
    const { source } = await readHeader(put("grid.nii", niftiBytes({ shape: [4, 1, 1] })));
    const path = join(root, "ct.nii");
    await writeVolume(path, Float32Array.of(-40000, -1000.4, 99.6, 40000), [1, 1, 4, 1], source, { kind: "int16" });
    const back = new Float32Array(4);
    readVolume(await readHeader(path), back);
    expect([...back]).toEqual([-32768, -1000, 100, 32767]);
  });

  it("writes planar images planar", async () => {
    const { source, shape } = await readHeader(put("plane.nii", niftiBytes({ shape: [3, 2] })));
    const path = join(root, "plane-out.nii");
    await writeVolume(path, new Uint8Array(6), shape, source, { kind: "label" });
    expect(readFileSync(path).readInt16LE(40)).toBe(2);
  });

  it("takes NIfTI-2 when an extent is beyond NIfTI-1", async () => {
    const { source } = await readHeader(put("long.nii", niftiBytes({ version: 2, shape: [40000, 1, 1], dtype: "uint8" })));
    // A grid that a NIfTI-1 source cannot have, as from a custom reader.
    const custom = { ...source, format: "custom", header: null };
    const path = join(root, "long-out.nii");
    await writeVolume(path, new Uint8Array(40000), [1, 1, 40000, 1], custom, { kind: "label" });
    expect(readFileSync(path).readInt32LE(0)).toBe(540);
    expect((await readHeader(path)).source.affine).toEqual(source.affine);
  });

  it("keeps what was there until the new file is whole", async () => {
    const { source } = await readHeader(put("grid.nii", niftiBytes({ shape: [2, 1, 1] })));
    const path = put("old.nii.gz", "old");
    await expect(writeVolume(path, new Uint8Array(3), [1, 1, 2, 1], source, { kind: "label" })).rejects.toThrow(
      `${path}: the volume must have shape 1x1x2x1 as on the grid of ${join(root, "grid.nii")}, got 1x1x2x1 with 3 elements`,
    );
    await expect(writeVolume(path, Float32Array.of(0.5, 1), [1, 1, 2, 1], source, { kind: "label" })).rejects.toThrow(
      `${path}: labels must be integers from 0 to 2^32 - 1, got 0.5`,
    );
    expect(readFileSync(path, "utf8")).toBe("old");
    writeFileSync(join(root, "file"), "");
    await expect(writeVolume(join(root, "file/inside.nii"), new Uint8Array(2), [1, 1, 2, 1], source, { kind: "label" })).rejects.toThrow(
      `${join(root, "file/inside.nii")}: the file must be writable, got a file where a folder was expected`,
    );
    mkdirSync(join(root, "taken/scan.nii/inside"), { recursive: true });
    await expect(writeVolume(join(root, "taken/scan.nii"), new Uint8Array(2), [1, 1, 2, 1], source, { kind: "label" })).rejects.toMatchObject({
      code: "ERR_WRITE",
      where: join(root, "taken/scan.nii"),
    });
    expect(readdirSync(join(root, "taken"))).toEqual(["scan.nii"]);
    await expect(writeVolume(join(root, "picture.webp"), new Uint8Array(2), [1, 1, 2, 1], source, { kind: "label" })).rejects.toThrow(
      `${join(root, "picture.webp")}: the file name must end in .nii.gz, .nii`,
    );
  });
});
