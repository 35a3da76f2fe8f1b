import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dicomAddress } from "../../../src/io/dicom/dicom-address.js";
import { readHeader } from "../../../src/io/read-header.js";
import { volumeOf } from "./fixture/volume-of.js";
import { someValues, type WriteSeriesOptions, writeSeries } from "./fixture/write-series.js";

const shape = [6, 5, 4] as const;
let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-dicom-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function series(options: Partial<WriteSeriesOptions> = {}): { readonly folder: string; readonly paths: readonly string[] } {
  const folder = options.folder ?? join(root, `case_${count++}`);
  return { folder, paths: writeSeries({ folder, shape, stored: someValues(options.shape ?? shape), ...options }) };
}

/** Elements that only one slice has otherwise. */
const of = (slice: number, elements: Record<string, any>) => (k: number) => (k === slice ? elements : {});

describe("a series is refused", () => {
  it.each([
    [
      "a slice is missing",
      { step: [0, 0, 2] as const, elements: of(3, { "00200032 DS": [-10, -20, 38] }) },
      "ERR_GEOMETRY",
      "the same gap, 2 mm, got 4 mm between I17_2 and I24_3: 1 slice is missing",
    ],
    ["gaps differ", { elements: of(3, { "00200032 DS": [-10, -20, 38] }) }, "ERR_GEOMETRY", "the same gap, 2.5 mm, got 3 mm between I17_2 and I24_3"],
    [
      "two slices have one place",
      { elements: of(3, { "00200032 DS": [-10, -20, 35] }) },
      "ERR_GEOMETRY",
      "I24_3: each slice must have a place of its own, got the one of I17_2, position -10\\-20\\35; 1 of 4 slices repeat a place",
    ],
    [
      "each place has two slices",
      { elements: (k: number) => ({ "00200032 DS": [-10, -20, 30 + 2 * (k >> 1)] }) },
      "ERR_GEOMETRY",
      "each of the 2 places has 2 slices, as series of several times, echoes or directions have",
    ],
    ["the gantry was tilted", { step: [0, 0.5, 2.5] as const }, "ERR_GEOMETRY", "straight above each other, got a tilt of 11.3° (a tilted gantry)"],
    [
      "one slice lies aside",
      { elements: of(1, { "00200032 DS": [-14, -20, 32.5] }) },
      "ERR_GEOMETRY",
      "slices must lie in one row, got position -14\\-20\\32.5, 4 mm away",
    ],
    ["sizes differ", { elements: of(2, { "00280010 US": 3 }) }, "ERR_GEOMETRY", "I17_2: all slices must have 6 x 5 pixels as I10_1, got 6 x 3"],
    [
      "orientations differ",
      { elements: of(2, { "00200037 DS": [0, 1, 0, 0, 0, -1] }) },
      "ERR_GEOMETRY",
      "I17_2: all slices must have the orientation of I10_1, 1\\0\\0\\0\\1\\0, got 0\\1\\0\\0\\0\\-1",
    ],
    [
      "pixel spacings differ",
      { elements: of(2, { "00280030 DS": [0.8, 0.9] }) },
      "ERR_GEOMETRY",
      "I17_2: all slices must have the pixel spacing of I10_1, 0.8 x 0.7 mm, got 0.8 x 0.9",
    ],
    ["modalities differ", { elements: of(2, { "00080060 CS": "PT" }) }, "ERR_DATA", "I17_2: all slices must have the modality of I10_1, CT, got PT"],
    [
      "a place is missing",
      { elements: of(2, { "00200032 DS": undefined }) },
      "ERR_GEOMETRY",
      "I17_2: the place must be given by ImagePositionPatient and ImageOrientationPatient, got none",
    ],
    [
      "the size of pixels is missing",
      { elements: () => ({ "00280030 DS": undefined }) },
      "ERR_GEOMETRY",
      "the size of the pixels must be given by PixelSpacing, got none",
    ],
    ["pixel data are missing", { elements: of(1, { "7fe00010 OW": undefined }) }, "ERR_HEADER", "I10_1: an image must have pixel data, got none"],
    [
      "pixel data are too short",
      { elements: of(1, { "7fe00010 OW": Buffer.alloc(58) }) },
      "ERR_HEADER",
      "I10_1: the pixel data must have 60 bytes for 6 x 5 pixels, 1 frames of 1 x 16 bits, got 58",
    ],
    ["a number is none", { elements: of(1, { "00281053 DS": "one" }) }, "ERR_HEADER", 'I10_1: RescaleSlope must be numbers, got "one"'],
    [
      "values go through a table",
      { elements: () => ({ "00281053 DS": undefined, "00283000 SQ": [{ "00283002 US": 1 }] }) },
      "ERR_HEADER",
      "stored values must be rescaled by slope and intercept, got a modality lookup table",
    ],
    [
      "the orientation is none",
      { elements: () => ({ "00200037 DS": [1, 0, 0, 1, 0, 0] }) },
      "ERR_HEADER",
      "ImageOrientationPatient must be two directions of length 1 at a right angle, got 1\\0\\0\\1\\0\\0",
    ],
    [
      "colors stand in a palette",
      { elements: () => ({ "00280004 CS": "PALETTE COLOR" }) },
      "ERR_HEADER",
      "images of one sample must be MONOCHROME1 or MONOCHROME2, got PALETTE COLOR",
    ],
    [
      "the transfer syntax is not read",
      { syntaxUid: "1.2.840.10008.1.2.4.102" },
      "ERR_FORMAT",
      "the transfer syntax must be one of Implicit VR Little Endian, Explicit VR Little Endian",
    ],
  ])("when %s", async (_, options, code, message) => {
    // The shapes and stored values do not matter to the fault.
    const error = await volumeOf(series({ ...(options as Partial<WriteSeriesOptions>), shape: [6, 5, 4] }).folder).catch((caught) => caught);
    expect(error.message).toContain(message);
    expect(error.code).toBe(code);
  });

  it("when a file is cut", async () => {
    const { folder, paths } = series({ name: (k) => `${k}.dcm` });
    const whole = readFileSync(paths[2]!).length;
    truncateSync(paths[2]!, whole - 10);
    await expect(readHeader(folder)).rejects.toMatchObject({ code: "ERR_TRUNCATED", where: paths[2] });
    // Wherever that is: never as if the slice were not there.
    for (let length = whole - 17; length >= 0; length -= 7) {
      truncateSync(paths[2]!, length);
      if (length > 140)
        await expect(readHeader(folder)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_(TRUNCATED|HEADER)$/), where: paths[2] });
      else await expect(readHeader(folder)).rejects.toThrow();
    }
  });

  it("when a file that is named .dcm is none", async () => {
    const { folder } = series();
    writeFileSync(join(folder, "5.dcm"), "this is no image, and long enough to be one; ".repeat(9));
    await expect(readHeader(folder)).rejects.toThrow(
      '5.dcm: the file must be a DICOM file with "DICM" behind its first 128 bytes, got something else',
    );
  });

  it("when compressed pixels are damaged, or another picture's", async () => {
    for (const syntax of ["rle", "jpegLs", "jpeg2000", "jpegLossless"] as const) {
      const { folder, paths } = series({ syntax, stored: someValues(shape).map((value) => value & 0x7ff) });
      const bytes = readFileSync(paths[1]!);
      bytes.fill(0, bytes.length - 60, bytes.length - 12);
      writeFileSync(paths[1]!, bytes);
      // JPEG streams have no checksum: damage shows as an error or as other values, never as a crash.
      const error = await volumeOf(folder).catch((caught) => caught);
      if (error instanceof Error) expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(FORMAT|TRUNCATED)$/) });
    }
    const wide = series({ syntax: "jpegLs", elements: of(1, { "00280011 US": 5, "00280010 US": 6 }) });
    await expect(volumeOf(wide.folder)).rejects.toThrow(/must have 5 x 6 pixels as I10_1, got 6 x 5/);
    const lying = series({ syntax: "jpeg2000", elements: () => ({ "00280011 US": 500, "00280010 US": 600 }) });
    await expect(volumeOf(lying.folder)).rejects.toThrow(
      "each JPEG 2000 Lossless frame must have 500 x 600 x 1 samples as the header says, got 6 x 5 x 1",
    );
  });
});

describe("a folder of several series", () => {
  function two(): string {
    const { folder } = series();
    series({ folder, series: "1.2.826.0.1.2", name: (k) => `second_${k}`, step: [0, 0, 5], elements: () => ({ "0008103e LO": "thorax 5 mm" }) });
    return folder;
  }

  it("is refused with the list of them, unless one is chosen", async () => {
    const folder = two();
    const list = '1.2.826.0.1.1 "thorax" (CT, 4 slices); 1.2.826.0.1.2 "thorax 5 mm" (CT, 4 slices)';
    await expect(readHeader(folder)).rejects.toThrow(`there must be one series, or series must say which one is meant, got 2: ${list}`);
    const choose = (choice: string | RegExp) => readHeader(dicomAddress({ path: folder, series: choice }));
    expect((await choose("1.2.826.0.1.2")).geometry.spacing[0]).toBe(5);
    expect((await choose("thorax")).geometry.spacing[0]).toBe(2.5);
    expect((await choose(/5 MM$/i)).geometry.spacing[0]).toBe(5);
    await expect(choose(/thorax/)).rejects.toThrow(`series /thorax/ must be one of the 2 series here, got 2 that match: ${list}`);
    await expect(choose("abdomen")).rejects.toMatchObject({ code: "ERR_DATA" });
  });

  it("does not count localizers, dose, reports and files of other kinds", async () => {
    const { folder, paths } = series();
    series({ folder, series: "1.2.3", shape: [6, 5, 1], name: () => "scout", elements: () => ({ "00080008 CS": "ORIGINAL\\PRIMARY\\LOCALIZER" }) });
    series({ folder, series: "1.2.4", name: (k) => `dose_${k}`, elements: () => ({ "00080016 UI": "1.2.840.10008.5.1.4.1.1.481.2" }) });
    series({
      folder,
      series: "1.2.5",
      shape: [6, 5, 1],
      name: () => "report",
      elements: () => ({ "00080016 UI": "1.3.12.2.1107.5.9.1", "00280010 US": undefined, "7fe00010 OW": undefined }),
    });
    writeFileSync(join(folder, "notes.txt"), "nothing");
    expect((await readHeader(folder)).shape).toEqual([4, 5, 6, 1]);
    for (const path of paths) rmSync(path);
    await expect(readHeader(folder)).rejects.toThrow("there must be DICOM images, got 1 localizers only");
  });

  it("sees a file that has changed, or is there twice", async () => {
    const { folder, paths } = series();
    expect((await readHeader(folder)).geometry.spacing[0]).toBe(2.5);
    series({ folder, step: [0, 0, 1.25] });
    expect((await readHeader(folder)).geometry.spacing[0]).toBe(1.25);
    copyFileSync(paths[0]!, join(folder, "copy"));
    await expect(readHeader(folder)).rejects.toThrow("each slice must have a place of its own");
  });
});
