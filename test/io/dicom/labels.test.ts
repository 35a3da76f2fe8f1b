import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dicomAddress, type LabelAddress } from "../../../src/io/dicom/dicom-address.js";
import { encodePixels } from "./fixture/encode-pixels.js";
import { labelOf } from "./fixture/volume-of.js";
import { type FixtureSegments, type FixtureStructure, writeSegments, writeStructures } from "./fixture/write-labels.js";
import { someValues, type WriteSeriesOptions, writeSeries } from "./fixture/write-series.js";

const shape = [8, 6, 4] as const;
let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-dicom-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folderOf(options: Partial<WriteSeriesOptions> = {}): string {
  const folder = join(root, `case_${count++}`);
  writeSeries({ folder: join(folder, "images"), shape, stored: someValues(shape), ...options });
  mkdirSync(join(folder, "label"));
  return folder;
}

/** The place of a pixel of the usual series: axial, from (-10, -20, 30), 0.7 mm along rows, 0.8 mm along columns, 2.5 mm from slice to slice. */
const place = (i: number, j: number, k: number): number[] => [-10 + 0.7 * i, -20 + 0.8 * j, 30 + 2.5 * k];
const box = (i0: number, j0: number, i1: number, j1: number, k: number): number[] =>
  [place(i0, j0, k), place(i1, j0, k), place(i1, j1, k), place(i0, j1, k)].flat();

/** Voxels with a label, by label: "i,j,k". */
function placesOf(voxels: readonly number[], label: number): string[] {
  return voxels.flatMap((value, n) => (value === label ? [`${n % 8},${Math.floor(n / 8) % 6},${Math.floor(n / 48)}`] : []));
}

describe("structures (RTSTRUCT)", () => {
  function structures(all: readonly FixtureStructure[], options: Omit<LabelAddress, "path" | "of">, folder = folderOf()): ReturnType<typeof labelOf> {
    const path = join(folder, "label", "RS");
    writeStructures(path, all);
    return labelOf(dicomAddress({ path, of: { path: join(folder, "images") }, ...options }));
  }

  it("are filled on the slice where they lie, by name, whatever their order", async () => {
    const all = [
      { name: "Tumor ", contours: [box(2.5, 1.5, 4.5, 3.5, 1)] },
      { name: "other", contours: [box(0, 0, 8, 6, 0)] },
      { name: "Kidney_L", contours: [box(1.5, 0.5, 5.5, 4.5, 1), box(1.5, 0.5, 2.5, 1.5, 2)] },
    ];
    for (const order of [all, [...all].reverse()]) {
      const { voxels, labels, header } = await structures(order, { structures: { kidney_l: 1, Tumor: 2 } });
      expect(header.shape).toEqual([4, 6, 8, 1]);
      expect(labels).toEqual([0, 1, 2]);
      // The tumor lies inside of the kidney: the larger label wins.
      expect(placesOf(voxels, 2)).toEqual(["3,2,1", "4,2,1", "3,3,1", "4,3,1"]);
      expect(placesOf(voxels, 1)).toHaveLength(16 - 4 + 1);
      expect(placesOf(voxels, 1)).toContain("2,1,2");
    }
  });

  it("have holes where contours lie in contours, and no inside where they are points", async () => {
    const { voxels } = await structures(
      [
        { name: "ring", contours: [box(0.5, 0.5, 6.5, 5.5, 2), box(2.5, 1.5, 4.5, 3.5, 2)] },
        { name: "mark", type: "POINT", contours: [place(1, 1, 0)] },
      ],
      { structures: { ring: 1, mark: 2 } },
    );
    expect(placesOf(voxels, 1)).toHaveLength(30 - 4);
    expect(placesOf(voxels, 2)).toEqual([]);
  });

  it("lie on the true grid of an oblique series", async () => {
    const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
    const orientation = [c, s, 0, -s * c, c * c, s];
    const normal = [s * s, -c * s, c];
    const origin = [5, -8, 40] as const;
    const folder = folderOf({ orientation, origin, step: [2 * normal[0]!, 2 * normal[1]!, 2 * normal[2]!] });
    const at = (i: number, j: number, k: number): number[] =>
      [0, 1, 2].map((axis) => origin[axis]! + 0.7 * i * orientation[axis]! + 0.8 * j * orientation[3 + axis]! + 2 * k * normal[axis]!);
    const contour = [at(1.5, 2.5, 3), at(3.5, 2.5, 3), at(3.5, 4.5, 3), at(1.5, 4.5, 3)].flat();
    const { voxels } = await structures([{ name: "a", contours: [contour] }], { structures: { a: 1 } }, folder);
    expect(placesOf(voxels, 1)).toEqual(["2,3,3", "3,3,3", "2,4,3", "3,4,3"]);
  });

  it("that are missing are an error with those there are, or background", async () => {
    const all = [
      { name: "Lung_L", contours: [] },
      { name: "Rückenmark", contours: [] },
    ];
    const wanted = { Lung_L: 1, Heart: 2 };
    await expect(structures(all, { structures: wanted })).rejects.toThrow(
      "there must be a structure Heart, got Lung_L, Rückenmark; name them with structures",
    );
    expect((await structures(all, { structures: wanted, missing: "background" })).labels).toEqual([0]);
    const twins = [
      { name: "heart", contours: [] },
      { name: "HEART ", contours: [] },
    ];
    await expect(structures(twins, { structures: { Heart: 1 } })).rejects.toThrow("structure Heart must be one, got 2 of that name");
  });

  it("that lie on no slice, or in another frame of reference, are an error", async () => {
    const between = [{ name: "a", contours: [box(1, 1, 3, 3, 1.5)] }];
    await expect(structures(between, { structures: { a: 1 } })).rejects.toThrow(
      "each contour must lie in one of the 4 slices, got one of a from slice 1.50 to 1.50, counted from 0",
    );
    const beyond = [{ name: "a", contours: [box(1, 1, 3, 3, 4)] }];
    await expect(structures(beyond, { structures: { a: 1 } })).rejects.toMatchObject({ code: "ERR_GEOMETRY" });
    const path = join(folderOf(), "RS");
    writeStructures(path, between, "1.2.3.4");
    const address = dicomAddress({ path, of: { path: join(path, "..", "images") }, structures: { a: 1 } });
    await expect(labelOf(address)).rejects.toThrow("the label must have the frame of reference of its series, 1.2.826.0.1.9, got 1.2.3.4");
  });
});

describe("segments (SEG)", () => {
  function segments(options: FixtureSegments, structures: Record<string, number>, encoding = {}): ReturnType<typeof labelOf> {
    const folder = folderOf();
    const path = join(folder, "label", "seg");
    writeSegments(path, options, encoding);
    return labelOf(dicomAddress({ path, of: { path: join(folder, "images") }, structures }));
  }
  const pixels = (...inside: readonly number[]): number[] => Array.from({ length: 48 }, (_, n) => (inside.includes(n) ? 1 : 0));

  it("are placed by the position of each frame, whatever the order of frames", async () => {
    const frames = [
      { segment: 2, position: place(0, 0, 3), pixels: pixels(9, 10) },
      { segment: 1, position: place(0, 0, 1), pixels: pixels(0, 47) },
      { segment: 1, position: place(0, 0, 3), pixels: pixels(10, 11) },
    ];
    const { voxels } = await segments({ segments: ["Liver", "Tumor"], shape: [8, 6], frames }, { liver: 1, "2": 2 });
    expect(placesOf(voxels, 1)).toEqual(["0,0,1", "7,5,1", "3,1,3"]);
    expect(placesOf(voxels, 2)).toEqual(["1,1,3", "2,1,3"]);
  });

  it("may be turned around, and cover a part of the image only", async () => {
    // From the lower right corner to the left and up, three by two pixels.
    const frames = [{ segment: 1, position: place(6, 4, 2), pixels: [1, 0, 0, 0, 0, 1] }];
    const { voxels } = await segments({ segments: ["a"], shape: [3, 2], frames, orientation: [-1, 0, 0, 0, -1, 0] }, { a: 1 });
    expect(placesOf(voxels, 1)).toEqual(["4,3,2", "6,4,2"]);
  });

  it("count from a half on where they are fractions, compressed or not", async () => {
    const fractions = Array.from({ length: 48 }, (_, n) => n);
    const options: FixtureSegments = {
      segments: ["a"],
      shape: [8, 6],
      type: "FRACTIONAL",
      most: 40,
      frames: [{ segment: 1, position: place(0, 0, 0), pixels: fractions }],
    };
    const plain = await segments(options, { a: 1 });
    expect(placesOf(plain.voxels, 1)).toHaveLength(28);
    const fragments = [encodePixels({ rows: 6, columns: 8, bits: 8, bytes: Uint8Array.from(fractions) }, "rle")];
    const compressed = await segments({ ...options, elements: { "7fe00010 OW": { fragments } } }, { a: 1 }, { syntax: "rle" });
    expect(compressed.voxels).toEqual(plain.voxels);
  });

  it("of a label map are its values", async () => {
    const frames = [{ segment: 0, position: place(0, 0, 1), pixels: Array.from({ length: 48 }, (_, n) => n % 3) }];
    const { voxels } = await segments({ segments: ["a", "b"], shape: [8, 6], type: "LABELMAP", frames }, { b: 1 });
    expect(placesOf(voxels, 1)).toHaveLength(16);
  });

  it("that do not lie on the voxels of the image are an error, and so are those that are missing", async () => {
    const frame = (position: number[]) => ({ segments: ["a"], shape: [8, 6] as const, frames: [{ segment: 1, position, pixels: pixels(0) }] });
    await expect(segments(frame(place(0.5, 0, 1)), { a: 1 })).rejects.toThrow("frames must lie on the voxels of the image, got frame 1 at 0.5, 0, 1");
    await expect(segments({ ...frame(place(0, 0, 1)), spacing: [1, 1] }, { a: 1 })).rejects.toThrow(
      "with steps of 1.429, 0, 0 and 0, 1.25, 0 voxels",
    );
    await expect(segments(frame(place(0, 0, 7)), { a: 1 })).rejects.toThrow(
      "segments must lie inside of the image of 8 x 6 x 4 voxels, got one at 0, 0, 7",
    );
    await expect(segments(frame(place(0, 0, 1)), { b: 1 })).rejects.toThrow("there must be a segment b, got 1 a");
  });
});
