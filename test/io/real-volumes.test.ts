import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import * as nifti from "nifti-reader-js";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../src/core/shape.js";
import { inspectCases, niftiCases, readCaseHeader, readHeader, readLabel, readNiftiHeader, readVolume, writeVolume } from "../../src/io/index.js";
import { scratchFolder } from "./scratch-folder.js";

const folder = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const isThere = existsSync(folder);

interface Golden {
  readonly shape: readonly number[];
  readonly orientation: string;
  readonly dtype: string;
  readonly sum: number;
  /** Sum of value times (canonical index modulo 1009). */
  readonly weighted: number;
  readonly affine: readonly number[];
  readonly range: readonly [number, number];
}

const mni = [2, 0, 0, -32, 0, 2, 0, -40, 0, 0, 2, -16];
const pet = [4, 0, 0, -252, 0, 4, 0, 0, 0, 0, 6, 0];
const trunk = [3, 0, 0, -177.95632934570312, 0, 3, 0, 11.319000244140625, 0, 0, 3, 94.3017578125];

/** nibabel 5.4.2 with numpy: `as_closest_canonical(load(file)).get_fdata()`, transposed to z, y, x. */
const GOLDEN: Readonly<Record<string, Golden>> = {
  "formats/anatomical.nii": {
    shape: [25, 41, 33],
    orientation: "LAS",
    dtype: "int16",
    sum: 284166082,
    weighted: 142540288608,
    affine: mni,
    range: [-610, 30393],
  },
  "formats/anatomical_label.nii.gz": {
    shape: [25, 41, 33],
    orientation: "LAS",
    dtype: "uint16",
    sum: 330,
    weighted: 153306,
    affine: mni,
    range: [0, 1],
  },
  "formats/big.nii.gz": {
    shape: [21, 64, 64],
    orientation: "LAS",
    dtype: "float32",
    sum: 11648.372022011292,
    weighted: 5903148.728471758,
    affine: pet,
    range: [-8.710750579833984, 18.582529067993164],
  },
  "formats/little.nii.gz": {
    shape: [21, 64, 64],
    orientation: "LAS",
    dtype: "float32",
    sum: 11648.372022011292,
    weighted: 5903148.728471758,
    affine: pet,
    range: [-8.710750579833984, 18.582529067993164],
  },
  "ct-abdomen/case_00000/imaging.nii.gz": {
    shape: [112, 101, 122],
    orientation: "RAS",
    dtype: "int32",
    sum: -496851173,
    weighted: -250255835377,
    affine: trunk,
    range: [-1207, 3382],
  },
  "ct-abdomen/case_00000/segmentation.nii.gz": {
    shape: [112, 101, 122],
    orientation: "RAS",
    dtype: "uint8",
    sum: 15188945,
    weighted: 7645742709,
    affine: trunk,
    range: [0, 117],
  },
};

describe.skipIf(!isThere)("real volumes (../shared/data)", () => {
  const { root } = scratchFolder();

  it.each(Object.entries(GOLDEN))("%s is read as nibabel reads it", async (name, golden) => {
    const header = await readHeader(join(folder, name));
    expect(header.shape).toEqual([...golden.shape, 1]);
    expect(header.source.orientation).toBe(golden.orientation);
    expect(header.dtype).toBe(golden.dtype);
    expect(header.geometry.affine.slice(0, 12)).toEqual(golden.affine);
    const voxels = new Float32Array(elementCount(header.shape));
    readVolume(header, voxels);
    let sum = 0;
    let weighted = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    voxels.forEach((value, n) => {
      sum += value;
      weighted += value * (n % 1009);
      min = Math.min(min, value);
      max = Math.max(max, value);
    });
    expect(sum).toBeCloseTo(golden.sum, 4);
    expect(weighted).toBeCloseTo(golden.weighted, 2);
    expect([min, max]).toEqual(golden.range);
  });

  it.each(Object.keys(GOLDEN))("%s has the header that nifti-reader-js sees", async (name) => {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const plain = name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
    const other = nifti.readHeader(plain.buffer.slice(plain.byteOffset, plain.byteOffset + plain.byteLength) as ArrayBuffer) as nifti.NIFTI1;
    const ours = await readNiftiHeader(path);
    expect(ours.littleEndian).toBe(other.littleEndian);
    expect(ours.datatype).toBe(other.datatypeCode);
    expect(ours.dim.slice(0, 4)).toEqual(other.dims.slice(0, 4));
    expect(ours.pixdim).toEqual(other.pixDims);
    expect(ours.voxOffset).toBe(other.vox_offset);
    expect([ours.sclSlope, ours.sclInter]).toEqual([other.scl_slope, other.scl_inter]);
    expect([ours.qformCode, ours.sformCode, ours.xyztUnits]).toEqual([other.qform_code, other.sform_code, other.xyzt_units]);
    // It takes the qform unless the sform's code is at least as large; these files have the same in both, or only one.
    const { source } = await readHeader(path);
    other.affine.flat().forEach((value, n) => {
      expect(source.affine[n]).toBeCloseTo(value, 4);
    });
  });

  it("the CT's label comes back voxel for voxel through an identity model", async () => {
    const data = niftiCases({ root: join(folder, "ct-abdomen"), classes: Array.from({ length: 118 }, (_, n) => `structure ${n}`) });
    const [ref] = await data.list();
    const header = await readCaseHeader(ref!, { classes: data.classes, channels: 1, needsLabel: true });
    const labels = new Uint8Array(elementCount(header.shape));
    const values = readLabel(header.label!, labels, { classes: data.classes });
    expect(values).toHaveLength(62);
    const path = join(root, "case_00000.nii.gz");
    await writeVolume(path, labels, header.shape, header.source, { kind: "label" });
    const original = gunzipSync(readFileSync(ref!.label!));
    const copy = gunzipSync(readFileSync(path));
    expect(copy.subarray(352).equals(original.subarray(original.readFloatLE(108)))).toBe(true);
    expect((await readHeader(path)).source.affine).toEqual(header.source.affine);
    const { totals } = await inspectCases(data);
    expect(totals.classVoxels.filter((count) => count > 0)).toHaveLength(62);
    expect(totals.range).toEqual([[-1207, 3382]]);
  });
});
