import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DicomElements, type DicomSyntax, type DicomValue, dicomBytes } from "./fixture/dicom-bytes.js";
import { encodePixels } from "./fixture/encode-pixels.js";
import { volumeOf } from "./fixture/volume-of.js";

let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-dicom-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const [columns, rows] = [4, 3];
/** Frames in the order of the file, by the slice that they are. */
const order = [2, 0, 3, 1];
const frames = order.map((slice) => Uint16Array.from({ length: columns * rows }, (_, n) => 100 * slice + n));

/** An enhanced MR image, whose frames have their place and their scaling in functional groups. */
function enhanced(pixels: DicomValue, syntax: DicomSyntax = "explicit", more: DicomElements = {}): string {
  const path = join(root, `enhanced_${count++}`);
  const elements: DicomElements = {
    "00080016 UI": "1.2.840.10008.5.1.4.1.1.4.1",
    "00080060 CS": "MR",
    "0020000e UI": "1.2.826.0.1.5",
    "00200052 UI": "1.2.826.0.1.6",
    "00280002 US": 1,
    "00280004 CS": "MONOCHROME2",
    "00280008 IS": 4,
    "00280010 US": rows,
    "00280011 US": columns,
    "00280100 US": 16,
    "00280101 US": 12,
    "00280102 US": 11,
    "00280103 US": 0,
    "52009229 SQ": [{ "00209116 SQ": [{ "00200037 DS": [1, 0, 0, 0, 1, 0] }], "00289110 SQ": [{ "00180050 DS": 3, "00280030 DS": [2, 1] }] }],
    "52009230 SQ": order.map((slice) => ({
      "00209113 SQ": [{ "00200032 DS": [0, 0, 3 * slice] }],
      "00289145 SQ": [{ "00281052 DS": slice, "00281053 DS": 2 }],
    })),
    "7fe00010 OW": pixels,
    ...more,
  };
  writeFileSync(path, dicomBytes(elements, { syntax }));
  return path;
}

const expected = [0, 1, 2, 3].flatMap((slice) => Array.from({ length: columns * rows }, (_, n) => 2 * (100 * slice + n) + slice));
const bytes = Buffer.concat(frames.map((frame) => new Uint8Array(frame.buffer)));
const packed = frames.map((frame) => encodePixels({ rows, columns, bits: 16, bytes: new Uint8Array(frame.buffer) }, "rle"));

describe("a file of many frames", () => {
  it("is a volume, its frames in the order of their places, each with its scaling", async () => {
    const { header, voxels } = await volumeOf(`${enhanced(bytes)}#dicom`);
    expect(voxels).toEqual(expected);
    expect(header.source.affine).toEqual([-1, 0, 0, 0, 0, -2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1]);
  });

  it("may be compressed, one fragment for each frame or, with a table, several", async () => {
    expect((await volumeOf(`${enhanced({ fragments: packed }, "rle")}#dicom`)).voxels).toEqual(expected);
    const halves = packed.flatMap((frame) => [frame.subarray(0, 66), frame.subarray(66)]);
    const path = enhanced({ fragments: halves }, "rle");
    await expect(volumeOf(`${path}#dicom`)).rejects.toThrow("the 8 fragments must be those of 4 frames, got no table that says which");
    const withTable = enhanced({ fragments: halves, table: [0, 2, 4, 6] }, "rle");
    expect((await volumeOf(`${withTable}#dicom`)).voxels).toEqual(expected);
  });

  it("needs functional groups of each frame", async () => {
    const short = enhanced(bytes, "explicit", { "52009230 SQ": [{ "00209113 SQ": [{ "00200032 DS": [0, 0, 0] }] }] });
    await expect(volumeOf(`${short}#dicom`)).rejects.toThrow("there must be functional groups of each of the 4 frames, got 1");
    const plain = enhanced(bytes, "explicit", { "52009230 SQ": [] });
    await expect(volumeOf(`${plain}#dicom`)).rejects.toThrow(
      "the place of frame 1 must be given by ImagePositionPatient and ImageOrientationPatient, got none",
    );
  });

  it("may hold floats", async () => {
    const values = Float32Array.from({ length: 4 * columns * rows }, (_, n) => n / 8);
    const path = enhanced(0, "explicit", { "7fe00008 OF": new Uint8Array(values.buffer), "00280100 US": 32, "00280101 US": 32, "00280102 US": 31 });
    const { header, voxels } = await volumeOf(`${path}#dicom`);
    expect(header.dtype).toBe("float32");
    expect(voxels.slice(0, 2)).toEqual([2 * (12 / 8), 2 * (13 / 8)]);
  });
});
