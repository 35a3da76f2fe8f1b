import fc from "fast-check";
import * as nifti from "nifti-reader-js";
import { describe, expect, it } from "vitest";
import { niftiAffine } from "../../../src/io/nifti/nifti-affine.js";
import { parseNiftiHeader } from "../../../src/io/nifti/parse-nifti-header.js";
import { niftiBytes } from "../nifti-bytes.js";

const real = fc.float({ min: Math.fround(-500), max: 500, noNaN: true });
const small = fc.float({ min: Math.fround(-0.5), max: 0.5, noNaN: true });
const side = fc.float({ min: Math.fround(0.25), max: 5, noNaN: true });

/** nifti-reader-js 0.8.0 is right on headers, but for the transforms that these leave out (see the test names). */
describe("a second reader", () => {
  const files = fc.record({
    version: fc.constantFrom(1 as const, 2 as const),
    littleEndian: fc.boolean(),
    shape: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    slope: real,
    intercept: real,
    pixdim: fc.tuple(fc.constantFrom(-1, 1), side, side, side).map((sizes) => [...sizes, 0, 0, 0, 0]),
    quaternion: fc.tuple(small, small, small),
    qoffset: fc.tuple(real, real, real),
    srow: fc.tuple(side, small, small, real, small, side, small, real, small, small, side, real),
    units: fc.constantFrom(2, 10),
  });
  const asArrayBuffer = (bytes: Buffer): ArrayBuffer => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;

  it("sees the same fields in any header", () => {
    fc.assert(
      fc.property(files, (file) => {
        const bytes = niftiBytes({ ...file, sformCode: 1, qformCode: 1 });
        const other = nifti.readHeader(asArrayBuffer(bytes))!;
        const ours = parseNiftiHeader(bytes, "scan.nii");
        expect(ours.littleEndian).toBe(other.littleEndian);
        expect(ours.dim).toEqual(other.dims);
        expect(ours.pixdim).toEqual(other.pixDims);
        expect([ours.sclSlope, ours.sclInter, ours.voxOffset, ours.datatype]).toEqual([
          other.scl_slope,
          other.scl_inter,
          other.vox_offset,
          other.datatypeCode,
        ]);
        expect(ours.quaternion).toEqual([other.quatern_b, other.quatern_c, other.quatern_d]);
        expect(ours.qoffset).toEqual([other.qoffset_x, other.qoffset_y, other.qoffset_z]);
      }),
    );
  });

  it("has the same affine where it looks at the right form", () => {
    fc.assert(
      fc.property(files, fc.boolean(), (file, useQform) => {
        // Its NIfTI-2 reader knows the sform only.
        const isQform = useQform && file.version === 1;
        const bytes = niftiBytes({ ...file, sformCode: isQform ? 0 : 1, qformCode: isQform ? 1 : 0 });
        const other = nifti.readHeader(asArrayBuffer(bytes))!;
        niftiAffine(parseNiftiHeader(bytes, "scan.nii"), "scan.nii").forEach((value, n) => {
          expect(value).toBeCloseTo(other.affine.flat()[n]!, 4);
        });
      }),
    );
  });
});
