import { describe, expect, it } from "vitest";
import { niftiAffine } from "../../../src/io/nifti/nifti-affine.js";
import { parseNiftiHeader } from "../../../src/io/nifti/parse-nifti-header.js";
import { type NiftiBytesOptions, niftiBytes } from "../nifti-bytes.js";

const affine = (options: Partial<NiftiBytesOptions>): readonly number[] => {
  const header = parseNiftiHeader(niftiBytes({ shape: [5, 6, 7], qoffset: [-10, 20, 30], sformCode: 0, ...options }), "scan.nii");
  return niftiAffine(header, "scan.nii");
};
const pixdim = (...sizes: number[]): number[] => [...sizes, 0, 0, 0, 0];

describe("niftiAffine", () => {
  // nibabel 5.4.2: Nifti1Header(bytes, check=True).get_best_affine(), offsets -10, 20, 30 and shape 5x6x7.
  it.each<readonly [string, Partial<NiftiBytesOptions>, readonly number[]]>([
    [
      "a quaternion",
      { quaternion: [0.1, 0.2, 0.3], pixdim: pixdim(1, 2, 3, 4), qformCode: 1 },
      [1.48, -1.549251, 1.723779, -10, 1.192834, 2.4, -0.261889, 20, -0.621889, 0.916417, 3.6, 30],
    ],
    [
      "a quaternion with qfac -1",
      { quaternion: [0.1, -0.2, 0.3], pixdim: pixdim(-1, 2, 3, 4), qformCode: 1 },
      [1.48, -1.789251, 1.243779, -10, 1.032834, 2.4, 1.22189, 20, 0.861889, 0.196417, -3.6, 30],
    ],
    [
      "a half turn, whose a² is a rounding error",
      { quaternion: [0, Math.SQRT1_2, Math.SQRT1_2], pixdim: pixdim(1, 1.5, 1.5, 3), qformCode: 1 },
      [-1.5, 0, 0, -10, 0, 0, 3, 20, 0, 1.5, 0, 30],
    ],
    [
      "a half turn about a diagonal, slightly too long in float32",
      { quaternion: [0.57735026, 0.57735027, 0.57735028], pixdim: pixdim(-1, 1, 1, 2), qformCode: 2 },
      [-0.333333, 0.666667, -1.333333, -10, 0.666667, -0.333333, -1.333333, 20, 0.666667, 0.666667, 0.666667, 30],
    ],
    ["voxel sizes 0 and negative, qfac 0", { pixdim: pixdim(0, 2, 0, -3), qformCode: 1 }, [2, 0, 0, -10, 0, 1, 0, 20, 0, 0, 3, 30]],
    ["neither code", { quaternion: [0.5, 0.5, 0.5], pixdim: pixdim(1, 2, 3, 4) }, [-2, 0, 0, 4, 0, 3, 0, -7.5, 0, 0, 4, -12]],
    [
      "both codes: the sform",
      { quaternion: [0.1, 0.2, 0.3], pixdim: pixdim(1, 2, 3, 4), qformCode: 1, sformCode: 1, srow: [-2, 0, 0.5, 7, 0, 3, 0, 8, 0.5, 0, 4, 9] },
      [-2, 0, 0.5, 7, 0, 3, 0, 8, 0.5, 0, 4, 9],
    ],
    ["a planar image with neither code", { shape: [5, 6], pixdim: pixdim(1, 2, 3, 4) }, [-2, 0, 0, 4, 0, 3, 0, -7.5, 0, 0, 1, 0]],
  ])("equals nibabel's for %s, in both versions and byte orders", (_, options, expected) => {
    for (const version of [1, 2] as const) {
      for (const littleEndian of [true, false]) {
        const actual = affine({ ...options, version, littleEndian });
        expected.forEach((value, n) => {
          expect(actual[n]).toBeCloseTo(value, 5);
        });
        expect(actual.slice(12)).toEqual([0, 0, 0, 1]);
      }
    }
  });

  it("prefers the sform even when the qform's code is larger", () => {
    expect(affine({ qformCode: 4, sformCode: 1, srow: [3, 0, 0, 1, 0, 3, 0, 2, 0, 0, 3, 3] }).slice(0, 4)).toEqual([3, 0, 0, 1]);
  });

  it("gives a planar image whose third column is empty a normal", () => {
    expect(affine({ shape: [5, 6], sformCode: 1, srow: [0, 2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0] })).toEqual([
      0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 1,
    ]);
  });

  it("refuses a quaternion far too long", () => {
    expect(() => affine({ qformCode: 1, quaternion: [1, 0.5, 0] })).toThrow(
      "scan.nii: the qform quaternion must have b² + c² + d² of at most 1, got 1.25",
    );
  });

  it("refuses voxel sizes that are no numbers, but for an axis that a planar image does not have", () => {
    expect(() => affine({ pixdim: pixdim(1, 2, Number.NaN, 4) })).toThrow(
      "scan.nii: the pixdim must be finite, got [-2 0 0 4; 0 NaN 0 NaN; 0 0 4 -12]",
    );
    expect(() => affine({ qformCode: 1, pixdim: pixdim(1, 2, 3, Number.POSITIVE_INFINITY) })).toThrow("scan.nii: the qform must be finite");
    expect(affine({ shape: [5, 6], qformCode: 1, pixdim: pixdim(1, 2, 3, Number.NaN) }).slice(0, 3)).toEqual([2, 0, 0]);
  });

  it("refuses an sform that is flat or not finite", () => {
    expect(() => affine({ sformCode: 1, srow: Array<number>(12).fill(0) })).toThrow(
      "scan.nii: the sform must be invertible, got [0 0 0 0; 0 0 0 0; 0 0 0 0]",
    );
    expect(() => affine({ sformCode: 1, srow: [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0] })).toThrow(
      "scan.nii: the sform must be invertible, got [1 0 0 0; 2 0 0 0; 0 0 1 0]",
    );
    expect(() => affine({ sformCode: 1, srow: [Number.NaN, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] })).toThrow(
      "scan.nii: the sform must be finite, got [NaN 0 0 0; 0 1 0 0; 0 0 1 0]",
    );
  });
});
