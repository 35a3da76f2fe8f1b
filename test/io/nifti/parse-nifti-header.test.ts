import { describe, expect, it } from "vitest";
import { isVoxError } from "../../../src/core/errors.js";
import { NIFTI_DTYPES, REFUSED_NIFTI_DTYPES } from "../../../src/io/nifti/nifti-header.js";
import { parseNiftiHeader } from "../../../src/io/nifti/parse-nifti-header.js";
import { niftiBytes } from "../nifti-bytes.js";

const parse = (bytes: Uint8Array): ReturnType<typeof parseNiftiHeader> => parseNiftiHeader(bytes, "scan.nii");
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return isVoxError(error) ? error.code : String(error);
  }
  return undefined;
};

describe("parseNiftiHeader", () => {
  it.each([1, 2] as const)("reads all fields of NIfTI-%i in both byte orders", (version) => {
    for (const littleEndian of [true, false]) {
      const header = parse(
        niftiBytes({
          version,
          littleEndian,
          dtype: "uint16",
          shape: [3, 4, 5],
          slope: 2,
          intercept: -1024,
          pixdim: [-1, 0.5, 0.75, 3, 1, 0, 0, 0],
          qformCode: 1,
          sformCode: 2,
          quaternion: [0.5, 0.25, 0.125],
          qoffset: [1, 2, 3],
          srow: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
          units: 10,
          voxOffset: 1024,
        }),
      );
      expect(header).toEqual({
        version,
        littleEndian,
        dim: [3, 3, 4, 5, 1, 1, 1, 1],
        datatype: 512,
        dtype: "uint16",
        voxOffset: 1024,
        sclSlope: 2,
        sclInter: -1024,
        dimInfo: 0,
        xyztUnits: 10,
        pixdim: [-1, 0.5, 0.75, 3, 1, 0, 0, 0],
        qformCode: 1,
        sformCode: 2,
        quaternion: [0.5, 0.25, 0.125],
        qoffset: [1, 2, 3],
        srow: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        description: "",
      });
    }
  });

  it("knows every data type of the standard, and refuses by name those that are not one real number", () => {
    for (const [code, dtype] of Object.entries(NIFTI_DTYPES)) expect(parse(niftiBytes({ shape: [1, 1], dtype })).datatype).toBe(Number(code));
    const kinds = "uint8, int16, int32, float32, float64, int8, uint16, uint32, int64, uint64";
    for (const [code, name] of Object.entries(REFUSED_NIFTI_DTYPES)) {
      expect(() => parse(niftiBytes({ shape: [1, 1], datatype: Number(code) }))).toThrow(
        `scan.nii: datatype must be one real number per voxel (${kinds}), got ${name} (code ${code})`,
      );
    }
    expect(() => parse(niftiBytes({ shape: [1, 1], datatype: 99 }))).toThrow("got code 99");
  });

  it.each([
    [[0, 1, 1, 1, 1, 1, 1, 1], "scan.nii: dim[0] (number of axes) must be 2 to 7, got 0"],
    [[1, 5, 1, 1, 1, 1, 1, 1], "scan.nii: dim[0] (number of axes) must be 2 to 7, got 1"],
    [[8, 1, 1, 1, 1, 1, 1, 1], "scan.nii: dim[0] (number of axes) must be 2 to 7, got 8"],
    [[3, 4, 0, 4, 1, 1, 1, 1], "scan.nii: dim[2] must be at least 1, got 0"],
    [[3, 4, 4, -3, 1, 1, 1, 1], "scan.nii: dim[3] must be at least 1, got -3"],
    [[5, 4, 4, 4, 2, 3, 1, 1], "scan.nii: at most one of dim[4] and dim[5], and nothing beyond, may be above 1 (channels), got 4x4x4x2x3"],
    [[6, 4, 4, 4, 1, 1, 2, 1], "scan.nii: at most one of dim[4] and dim[5], and nothing beyond, may be above 1 (channels), got 4x4x4x1x1x2"],
    [[5, 32767, 32767, 32767, 32767, 1, 1, 1], "scan.nii: dim must describe less than 2^50 voxels, got 32767x32767x32767x32767x1"],
  ])("refuses the dimensions %j", (dim, message) => {
    for (const littleEndian of [true, false]) expect(() => parse(niftiBytes({ shape: [1, 1], dim, littleEndian }))).toThrow(message);
    expect(codeOf(() => parse(niftiBytes({ shape: [1, 1], dim, version: 2 })))).toBe("ERR_HEADER");
  });

  it("takes one time point, and axes of extent 1 beyond", () => {
    expect(parse(niftiBytes({ shape: [4, 4, 4, 1, 3] })).dim).toEqual([5, 4, 4, 4, 1, 3, 1, 1]);
    expect(parse(niftiBytes({ shape: [4, 4, 4, 1, 1, 1, 1] })).dim[0]).toBe(7);
  });

  it("refuses an offset inside the header", () => {
    const bytes = niftiBytes({ shape: [1, 1] });
    bytes.writeFloatLE(100, 108);
    expect(() => parse(bytes)).toThrow("scan.nii: vox_offset must be a whole number of at least 352, got 100");
    bytes.writeFloatLE(Number.NaN, 108);
    expect(() => parse(bytes)).toThrow("scan.nii: vox_offset must be a whole number of at least 352, got NaN");
    const second = niftiBytes({ shape: [1, 1], version: 2 });
    second.writeBigInt64LE(2n ** 60n, 168);
    expect(() => parse(second)).toThrow("scan.nii: sizes must be below 2^53, got 1152921504606847000");
  });

  it.each([
    ["text", Buffer.from("this is no volume ".repeat(40)), "scan.nii: the file must be NIfTI-1 or NIfTI-2, got first bytes 7468697320697320"],
    ["an empty file", Buffer.alloc(0), "scan.nii: the file must be NIfTI-1 or NIfTI-2, which takes at least 348 bytes, got 0 bytes"],
    ["Analyze 7.5", niftiBytes({ shape: [2, 2], magic: "" }), 'scan.nii: the file must have the NIfTI magic "n+1", got "" (Analyze 7.5?)'],
    [
      "the header of a pair",
      niftiBytes({ shape: [2, 2], magic: "ni1" }),
      "scan.nii: the file must hold header and voxels (.nii), got the header of a .hdr/.img pair; convert the pair to one file",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parse(bytes)).toThrow(message);
    expect(codeOf(() => parse(bytes))).toBe("ERR_FORMAT");
  });

  it("refuses a cut NIfTI-2 header", () => {
    expect(() => parse(niftiBytes({ shape: [2, 2], version: 2 }).subarray(0, 400))).toThrow(
      "scan.nii: the NIfTI-2 header must have 540 bytes, got 400",
    );
  });
});
