import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import { canReadRegions, FileVolume, readHeader, readLabel, readVolume, type VolumeHeader, writePhantoms, writeVolume } from "../../src/io/index.js";
import { copyBox } from "../../src/kernels/index.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-file-volume-"));
const CASES = 6;
const random = new Random("file volume");
/** Phantoms lie in several orientations. */
const cases: { image: VolumeHeader; label: VolumeHeader }[] = [];

beforeAll(async () => {
  await writePhantoms({ folder: root, cases: CASES, shape: [14, 22, 30], seed: 4 });
  for (let n = 0; n < CASES; n++) {
    const plain = (name: string): string => {
      const path = join(root, `case_0000${n}`, `${name}.nii`);
      writeFileSync(path, gunzipSync(readFileSync(`${path}.gz`)));
      return path;
    };
    cases.push({ image: await readHeader(plain("imaging")), label: await readHeader(plain("segmentation")) });
  }
});
afterAll(() => rmSync(root, { recursive: true }));

function randomBox(shape: Shape4): [Triple, Triple] {
  const start = [0, 1, 2].map((axis) => random.integer(0, shape[axis]! - 1));
  return [start as unknown as Triple, start.map((first, axis) => random.integer(1, shape[axis]! - first)) as unknown as Triple];
}

describe("regions of a file", () => {
  it("are those of the whole volume, for every orientation, image and label", () => {
    const orientations = new Set(cases.map(({ image }) => image.source.orientation));
    expect(orientations.size).toBeGreaterThan(2);
    for (const { image, label } of cases) {
      const { shape } = image;
      const [whole, labels] = [new Float32Array(elementCount(shape)), new Uint8Array(elementCount(label.shape))];
      readVolume(image, whole);
      readLabel(label, labels);
      const [voxels, map] = [new FileVolume([image], "float32"), new FileVolume([label], "uint8", { classes: 3 })];
      expect(voxels.minimum).toEqual([whole.reduce((a, b) => Math.min(a, b))]);
      for (let trial = 0; trial < 40; trial++) {
        const [start, size] = trial === 0 ? [[0, 0, 0] as Triple, shape.slice(0, 3) as unknown as Triple] : randomBox(shape);
        const [got, expected] = [new Float32Array(elementCount(size)), new Float32Array(elementCount(size))];
        voxels.readRegion(start, size, got);
        copyBox(whole, shape, expected, [...size, 1], start);
        expect(got).toEqual(expected);
        const [gotLabels, expectedLabels] = [new Uint8Array(elementCount(size)), new Uint8Array(elementCount(size))];
        map.readRegion(start, size, gotLabels);
        copyBox(labels, shape, expectedLabels, [...size, 1], start);
        expect(gotLabels).toEqual(expectedLabels);
      }
      const pieces: number[] = [];
      map.eachSlab((slab, first) => {
        expect(first).toBe(pieces.length);
        pieces.push(...slab);
      });
      expect(Uint8Array.from(pieces)).toEqual(labels);
    }
  });

  it("interleave the channels of one file and of several", async () => {
    const { image } = cases[0]!;
    const [d, h, w] = image.shape;
    const data = Float32Array.from({ length: d * h * w * 3 }, (_, i) => i);
    const path = join(root, "channels.nii");
    await writeVolume(path, data, [d, h, w, 3], image.source, { kind: "float" });
    const one = new FileVolume([await readHeader(path)], "float32");
    const several = new FileVolume([image, await readHeader(path)], "float32");
    expect([one.shape, several.shape]).toEqual([
      [d, h, w, 3],
      [d, h, w, 4],
    ]);
    const [got, all, single] = [new Float32Array(4 * 5 * 6 * 3), new Float32Array(4 * 5 * 6 * 4), new Float32Array(4 * 5 * 6)];
    one.readRegion([2, 3, 4], [4, 5, 6], got);
    several.readRegion([2, 3, 4], [4, 5, 6], all);
    new FileVolume([image], "float32").readRegion([2, 3, 4], [4, 5, 6], single);
    for (let z = 0, i = 0; z < 4; z++) {
      for (let y = 0; y < 5; y++) {
        for (let x = 0; x < 6; x++, i++) {
          const first = (((z + 2) * h + y + 3) * w + x + 4) * 3;
          expect([...got.subarray(3 * i, 3 * i + 3)]).toEqual([first, first + 1, first + 2]);
          expect([...all.subarray(4 * i, 4 * i + 4)]).toEqual([single[i], first, first + 1, first + 2]);
        }
      }
    }
  });

  it("are checked: boxes outside, NaN, undeclared labels, a file that has become shorter", async () => {
    const { image, label } = cases[1]!;
    const voxels = new FileVolume([image], "float32");
    expect(() => voxels.readRegion([0, 0, 0], [15, 1, 1], new Float32Array(15))).toThrow(expect.objectContaining({ code: "ERR_SHAPE" }));
    expect(() => voxels.readRegion([0, 0, 0], [1, 1, 1], new Float32Array(2))).toThrow(expect.objectContaining({ code: "ERR_SHAPE" }));
    const map = new FileVolume([label], "uint8", { classes: 1 });
    const [d, h, w] = label.shape;
    expect(() => map.readRegion([0, 0, 0], [d, h, w], new Uint8Array(d * h * w))).toThrow(/labels must be integers from 0 to 0, got also 1/);
    const odd = join(root, "odd.nii");
    const data = Float32Array.from({ length: d * h * w }, (_, i) => (i === 17 ? Number.NaN : i === 3 ? -5 : 1));
    await writeVolume(odd, data, label.shape, label.source, { kind: "float" });
    const header = await readHeader(odd);
    expect(() => new FileVolume([header], "float32").readRegion([0, 0, 0], [1, 1, w], new Float32Array(w))).toThrow(
      /voxels must be finite, got 1 NaN/,
    );
    const replaced = new Float32Array(w);
    const mended = new FileVolume([header], "float32", { nonFinite: "replace" });
    mended.readRegion([0, 0, 0], [1, 1, w], replaced);
    expect(mended.minimum).toEqual([-5]);
    expect([replaced[17], replaced[3], replaced[0]]).toEqual([-5, -5, 1]);
    truncateSync(odd, 400);
    expect(() => mended.readRegion([d - 1, 0, 0], [1, 1, 1], new Float32Array(1))).toThrow(expect.objectContaining({ code: "ERR_TRUNCATED" }));
    rmSync(odd);
    expect(() => mended.readRegion([0, 0, 0], [1, 1, 1], new Float32Array(1))).toThrow(expect.objectContaining({ code: "ERR_READ" }));
  });

  it("cannot be read from compressed files", async () => {
    expect(canReadRegions(cases[0]!.image)).toBe(true);
    expect(canReadRegions(await readHeader(join(root, "case_00000", "imaging.nii.gz")))).toBe(false);
  });
});
