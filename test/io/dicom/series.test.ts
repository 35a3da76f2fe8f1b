import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spacingOf } from "../../../src/core/geometry.js";
import { dicomAddress } from "../../../src/io/dicom/dicom-address.js";
import { readHeader } from "../../../src/io/read-header.js";
import type { DicomSyntax } from "./fixture/dicom-bytes.js";
import { volumeOf } from "./fixture/volume-of.js";
import { someValues, type WriteSeriesOptions, writeSeries } from "./fixture/write-series.js";

const shape = [6, 5, 4] as const;
const stored = someValues(shape);
let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-dicom-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder with a series that is like the usual one, but for `options`. */
function series(options: Partial<WriteSeriesOptions> = {}): string {
  const folder = options.folder ?? join(root, `case_${count++}`);
  writeSeries({ folder, shape, stored, ...options });
  return folder;
}

const hounsfield = [...stored].map((value) => value - 1024);

describe("a series of single slices", () => {
  const syntaxes: DicomSyntax[] = ["explicit", "implicit", "big", "deflated", "rle", "jpegLs", "jpeg2000"];
  it.each(syntaxes)("has its values in %s transfer syntax, whatever the names of its files", async (syntax) => {
    const { header, voxels } = await volumeOf(series({ syntax }));
    expect(voxels).toEqual(hounsfield);
    expect(header).toMatchObject({ format: "dicom", shape: [4, 5, 6, 1], dtype: "int16" });
  });

  it("has its values in lossless JPEG", async () => {
    const unsigned = stored.map((value) => value + 1200);
    const { voxels } = await volumeOf(series({ syntax: "jpegLossless", stored: unsigned, isSigned: false }));
    expect(voxels).toEqual([...unsigned].map((value) => value - 1024));
  });

  it("may have sequences of undefined length, and files without the 128 bytes in front", async () => {
    const elements = () => ({ "00081140 SQ": [{ "00081155 UI": "1.2.3" }], "00091001 UN": Buffer.alloc(6) });
    expect((await volumeOf(series({ isOpen: true, elements }))).voxels).toEqual(hounsfield);
    expect((await volumeOf(series({ isBare: true, elements, name: (k) => `${k}.dcm` }))).voxels).toEqual(hounsfield);
  });

  it("is placed by position and orientation: LPS+ millimeters become RAS+", async () => {
    const { source, geometry } = await readHeader(series());
    // One step along a row, a column, and to the next slice; x and y turned around.
    expect(source.affine).toEqual([-0.7, 0, 0, 10, 0, -0.8, 0, 20, 0, 0, 2.5, 30, 0, 0, 0, 1]);
    expect(source.orientation).toBe("LPS");
    expect(geometry.spacing).toEqual([2.5, 0.8, 0.7]);
  });

  it("keeps an oblique and permuted grid, as computed point by point", async () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    const orientation = [0, c, s, 0, -s, c];
    const normal = [1, 0, 0] as const;
    const step = [-1.5 * normal[0], 0, 0] as const;
    const { header, voxels } = await volumeOf(series({ orientation, step, origin: [40, -30, 12] }));
    // Slices are sorted along the normal: the last one written comes first.
    const place = (i: number, j: number, k: number): number[] =>
      [0, 1, 2].map((axis) => [40, -30, 12][axis]! + 0.7 * i * orientation[axis]! + 0.8 * j * orientation[3 + axis]! + (3 - k) * step[axis]!);
    const a = header.source.affine;
    for (const [i, j, k] of [
      [0, 0, 0],
      [5, 0, 0],
      [0, 4, 0],
      [0, 0, 3],
      [2, 3, 1],
    ] as const) {
      const [x, y, z] = place(i, j, k) as [number, number, number];
      const at = (row: number): number => a[4 * row]! * i + a[4 * row + 1]! * j + a[4 * row + 2]! * k + a[4 * row + 3]!;
      expect([at(0), at(1), at(2)].map((value) => value.toFixed(9))).toEqual([-x, -y, z].map((value) => value.toFixed(9)));
    }
    const slices = [3, 2, 1, 0].flatMap((k) => hounsfield.slice(k * 30, (k + 1) * 30));
    expect(voxels).toEqual(slices);
    expect(spacingOf(a).map((side) => Number(side.toFixed(9)))).toEqual([1.5, 0.8, 0.7]);
  });

  it("has slope and intercept of each slice", async () => {
    const elements = (k: number) => ({ "00281053 DS": k + 0.5, "00281052 DS": -10 * k });
    const { voxels } = await volumeOf(series({ elements }));
    expect(voxels).toEqual([...stored].map((value, n) => Math.fround(value * (Math.floor(n / 30) + 0.5) - 10 * Math.floor(n / 30))));
  });

  it("takes the stored bits only, and their sign", async () => {
    // 12 bits from bit 13 down; the others hold rubbish.
    const dirty = stored.map((value) => ((value & 0xfff) << 2) | 0x4001 | 0x8000);
    const elements = () => ({ "00280101 US": 12, "00280102 US": 13 });
    const signed = (value: number): number => ((value & 0xfff) ^ 0x800) - 0x800;
    expect((await volumeOf(series({ stored: dirty, elements }))).voxels).toEqual([...stored].map((value) => signed(value) - 1024));
    const unsigned = await volumeOf(series({ stored: dirty, elements, isSigned: false }));
    expect(unsigned.voxels).toEqual([...stored].map((value) => (value & 0xfff) - 1024));
    expect(unsigned.header.dtype).toBe("uint16");
  });

  it("gives padding voxels the smallest value of the others, or leaves theirs", async () => {
    const padded = stored.map((value, n) => (n % 11 === 0 ? -2000 : value));
    const elements = () => ({ "00280120 US": -2000 });
    const folder = series({ stored: padded, elements });
    const least = Math.min(...padded.filter((value) => value !== -2000));
    expect((await volumeOf(folder)).voxels).toEqual([...padded].map((value) => (value === -2000 ? least : value) - 1024));
    const kept = await volumeOf(dicomAddress({ path: folder, padding: "keep" }));
    expect(kept.voxels).toEqual([...padded].map((value) => value - 1024));
  });

  it("turns MONOCHROME1 around where values are brightness, and not where they are units", async () => {
    const unsigned = stored.map((value) => (value + 1200) & 0x3ff);
    const options = { stored: unsigned, isSigned: false };
    const elements = (modality: string) => () => ({ "00080060 CS": modality, "00280004 CS": "MONOCHROME1", "00280101 US": 10, "00280102 US": 9 });
    expect((await volumeOf(series({ ...options, elements: elements("MR") }))).voxels).toEqual([...unsigned].map((value) => 1023 - value - 1024));
    expect((await volumeOf(series({ ...options, elements: elements("CT") }))).voxels).toEqual([...unsigned].map((value) => value - 1024));
  });

  it("may have one slice, as thick as it says", async () => {
    const { geometry, shape: canonical } = await readHeader(series({ shape: [6, 5, 1] }));
    expect(canonical).toEqual([1, 5, 6, 1]);
    expect(geometry.spacing).toEqual([2.5, 0.8, 0.7]);
  });

  it("has rounded positions for what they are", async () => {
    const elements = (k: number) => ({ "00200032 DS": `-10\\-20\\${(30 + 0.625 * k).toFixed(1)}` });
    const { source } = await readHeader(series({ elements }));
    expect(source.affine[10]).toBeCloseTo((31.9 - 30) / 3, 9);
  });
});

describe("other images", () => {
  const color = (photometric: string, bytes: Uint8Array, more = {}) => ({
    shape: [2, 2, 1] as const,
    elements: () => ({
      "00280002 US": 3,
      "00280004 CS": photometric,
      "00280006 US": 0,
      "00280100 US": 8,
      "00280101 US": 8,
      "00280102 US": 7,
      "00280103 US": 0,
      "00281052 DS": undefined,
      "7fe00010 OW": bytes,
      ...more,
    }),
  });

  it("color has three channels, stored pixel by pixel or plane by plane", async () => {
    const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect((await volumeOf(series(color("RGB", bytes)))).voxels).toEqual([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
    const { header, voxels } = await volumeOf(series(color("RGB", bytes, { "00280006 US": 1 })));
    expect(voxels).toEqual([...bytes]);
    expect(header.shape).toEqual([1, 2, 2, 3]);
  });

  it("luminance and differences become color (PS3.3, C.7.6.3.1.2)", async () => {
    const gray = [128, 128, 128, 0, 128, 128];
    const red = [76, 85, 255, 255, 128, 128];
    const { voxels } = await volumeOf(series(color("YBR_FULL", Uint8Array.from([...gray, ...red]))));
    expect(voxels).toEqual([128, 0, 254, 255, 128, 0, 0, 255, 128, 0, 0, 255]);
  });

  it("a picture without a place is planar, placed as other pictures, with the size of its pixels", async () => {
    const elements = () => ({ "00200032 DS": undefined, "00200037 DS": undefined, "00280030 DS": undefined, "00181164 DS": [0.3, 0.2] });
    const { header, voxels } = await volumeOf(series({ shape: [6, 5, 1], elements }));
    expect(header).toMatchObject({ shape: [1, 5, 6, 1], source: { dimensions: 2, orientation: "LPS" }, geometry: { spacing: [1, 0.3, 0.2] } });
    expect(voxels).toEqual(hounsfield.slice(0, 30));
  });
});
