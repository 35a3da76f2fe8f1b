import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { elementCount, type Triple } from "../../src/core/shape.js";
import { startEngine } from "../../src/engine/index.js";
import { predict } from "../../src/inference/predict.js";
import { orientedAffine } from "../../src/io/phantom/oriented-affine.js";
import { placeOnGrid } from "../../src/io/place-on-grid.js";
import { writeVolume } from "../../src/io/write-volume.js";
import type { PreprocessingStep } from "../../src/training/bundle/bundle-description.js";
import { identityBundle } from "./identity-model.js";

const CLASSES = ["background", "kidney", "tumor", "cyst"];
const SHAPE: Triple = [7, 12, 15];
const SPACING: Triple = [3, 0.8, 0.9];
const folder = mkdtempSync(join(tmpdir(), "voxstream-back-"));
const inputs = join(folder, "inputs");
const GRIDS = {
  ras: { letters: "RAS", tilt: 0 },
  lps: { letters: "LPS", tilt: 0 },
  permuted: { letters: "IPL", tilt: 0 },
  turned: { letters: "ASR", tilt: 0 },
  oblique: { letters: "LPS", tilt: 20 },
} as const;
const ids = Object.keys(GRIDS).sort();

function draw(id: string): Uint8Array {
  const random = new Random("back", id);
  const map = new Uint8Array(elementCount(SHAPE));
  for (let blob = 0; blob < 5; blob++) {
    const center = SHAPE.map((extent) => random.integer(2, extent - 3));
    for (let z = 0, i = 0; z < SHAPE[0]; z++)
      for (let y = 0; y < SHAPE[1]; y++)
        for (let x = 0; x < SHAPE[2]; x++, i++) if (Math.hypot(z - center[0]!, y - center[1]!, x - center[2]!) < 2.2) map[i] = 1 + (blob % 3);
  }
  return map;
}

const stored = (path: string): { readonly header: Buffer; readonly voxels: Buffer } => {
  const bytes = gunzipSync(readFileSync(path));
  return { header: bytes.subarray(0, 352), voxels: bytes.subarray(352) };
};

beforeAll(async () => {
  await startEngine({ engine: "cpu" });
  mkdirSync(inputs);
  for (const [id, grid] of Object.entries(GRIDS)) {
    const place = orientedAffine(SHAPE, SPACING, grid, [5, -7, 40]);
    const { source } = placeOnGrid({ format: "test", path: id, dimensions: 3, header: null, ...place });
    await writeVolume(join(inputs, `${id}.nii.gz`), draw(id), [...SHAPE, 1], source, { kind: "label" });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const orient = (axes: string): PreprocessingStep => ({ name: "orient", params: { axes } });
const crop = (margin: number): PreprocessingStep => ({ name: "cropForeground", params: { above: 0, margin: [margin, margin, margin] } });
const pad = (mode: string): PreprocessingStep => ({
  name: "pad",
  params: { minSize: [8, 8, 8], divisor: [4, 4, 4], mode, value: "minimum", labelValue: 0 },
});
const finer: PreprocessingStep = { name: "resample", params: { spacing: SPACING.map((s) => s / 2), order: 0, labelOrder: 1 } };
const resize: PreprocessingStep = { name: "resize", params: { size: [24, 24, 30], order: 0, labelOrder: 0 } };

describe("predict with an identity model gives each label file back byte for byte: RAS, LPS, permuted, oblique", () => {
  const chains: readonly (readonly [string, readonly PreprocessingStep[], number])[] = [
    ["over crop, orient and reflecting padding, in a worker thread", [crop(1), orient("LPS"), pad("reflect")], 1],
    ["over orient, crop, finer resampling and padding at the edge", [orient("LAI"), crop(0), finer, pad("edge")], 0],
    ["over padding, crop, padding and another turn", [pad("constant"), orient("PIR"), crop(2), pad("minimum"), orient("RAS")], 0],
    ["over crop and padding in front of a fixed size", [pad("constant"), { ...resize, params: { size: [16, 24, 32], order: 0, labelOrder: 0 } }], 0],
  ];
  it.each(chains)("%s", { timeout: 300_000 }, async (name, steps, workers) => {
    const output = join(folder, name.replaceAll(" ", "-"));
    await predict({ bundle: identityBundle(CLASSES, [8, 8, 8], steps), inputs, output, workers });
    for (const id of ids) {
      const [given, predicted] = [stored(join(inputs, `${id}.nii.gz`)), stored(join(output, `${id}.nii.gz`))];
      expect(Buffer.compare(predicted.voxels, given.voxels), id).toBe(0);
      expect(Buffer.compare(predicted.header, given.header), id).toBe(0);
      expect(new Set(given.voxels)).toEqual(new Set([0, 1, 2, 3]));
    }
  });

  it("and files hold the data set's own values where labels were renamed one to one", { timeout: 300_000 }, async () => {
    const output = join(folder, "renamed");
    const names: PreprocessingStep = {
      name: "mapLabels",
      params: {
        pairs: [
          [0, 0],
          [5, 1],
          [2, 2],
          [1000, 3],
        ],
        others: 0,
      },
    };
    const steps = [crop(1), names, orient("LPS")];
    await predict({ bundle: identityBundle(CLASSES, [8, 8, 8], steps), inputs, output, workers: 0, ids: ["oblique"] });
    const { header, voxels } = stored(join(output, "oblique.nii.gz"));
    const classes = [...stored(join(inputs, "oblique.nii.gz")).voxels];
    // NIfTI type 512: uint16.
    expect(header.readInt16LE(70)).toBe(512);
    expect([...new Uint16Array(voxels.buffer.slice(voxels.byteOffset, voxels.byteOffset + voxels.byteLength))]).toEqual(
      classes.map((label) => [0, 5, 2, 1000][label]),
    );
  });
});
