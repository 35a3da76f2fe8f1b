import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4, Triple } from "../../src/core/shape.js";
import { Volume } from "../../src/core/volume.js";
import { permuteAxes } from "../../src/inference/permute-axes.js";
import { predictor } from "../../src/inference/predictor.js";
import { identityModel } from "./identity-model.js";

const SHAPE: Shape4 = [3, 5, 7, 1];
const values = Float32Array.from({ length: 3 * 5 * 7 }, (_, i) => (i * 11) % 4);
const sample: Sample = { id: "case", epoch: 0, image: Volume.of("float32", SHAPE, values), history: [] };

/** A 2D network whose class is the intensity of the voxel one column before: it tells rows from columns, and one plane from another. */
function shiftModel(patch: [number, number]): tfl.LayersModel {
  const input = tfl.input({ shape: [...patch, 1] });
  const layer = tfl.layers.conv2d({ filters: 4, kernelSize: [1, 3], padding: "same" });
  const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
  const kernel = new Float32Array(3 * 4);
  for (let c = 0; c < 4; c++) kernel[c] = 2 * c;
  layer.setWeights([tf.tensor(kernel, [1, 3, 1, 4]), tf.tensor1d([0, -1, -4, -9])]);
  return model;
}

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("permuteAxes", () => {
  it("puts each axis where it is asked for, and its inverse back", () => {
    const shape: Shape4 = [2, 3, 4, 2];
    const data = Float32Array.from({ length: 48 }, (_, i) => i);
    const { data: turned, shape: size } = permuteAxes(data, shape, [2, 0, 1]);
    expect(size).toEqual([4, 2, 3, 2]);
    for (let z = 0; z < 2; z++)
      for (let y = 0; y < 3; y++)
        for (let x = 0; x < 4; x++)
          for (let c = 0; c < 2; c++) expect(turned[((x * 2 + z) * 3 + y) * 2 + c]).toBe(data[((z * 3 + y) * 4 + x) * 2 + c]);
    expect(permuteAxes(turned, size, [1, 2, 0])).toEqual({ data, shape });
  });
});

describe("a 2D network on a volume", () => {
  const at = (z: number, y: number, x: number): number => values[(z * 5 + y) * 7 + x]!;
  /** Columns of axial and coronal slices are the width, those of sagittal slices the height. */
  const planes: ["axial" | "coronal" | "sagittal", [number, number], (z: number, y: number, x: number) => number][] = [
    ["axial", [5, 7], (z, y, x) => (x === 0 ? 0 : at(z, y, x - 1))],
    ["coronal", [3, 7], (z, y, x) => (x === 0 ? 0 : at(z, y, x - 1))],
    ["sagittal", [3, 5], (z, y, x) => (y === 0 ? 0 : at(z, y - 1, x))],
  ];
  it.each(planes)("predicts slice by slice, %s", async (plane, patch, expected) => {
    const { labels, shape, probabilities } = await predictor({ model: shiftModel(patch), plane, keepProbabilities: true })(sample);
    expect(shape).toEqual([3, 5, 7]);
    for (let z = 0, i = 0; z < 3; z++)
      for (let y = 0; y < 5; y++)
        for (let x = 0; x < 7; x++, i++) {
          expect(labels[i], `${z} ${y} ${x}`).toBe(expected(z, y, x));
          const scores = probabilities!.subarray(i * 4, i * 4 + 4);
          expect(scores.indexOf(Math.max(...scores))).toBe(expected(z, y, x));
        }
  });

  it("takes patches with overlap in every plane, and mirrors along the axes of the case", async () => {
    // The middle column of the kernel: mirrored along any axis it stays the identity.
    const model = identityModel(4, [1, 1, 1]);
    expect(() => predictor({ model, plane: "coronal" })).toThrow("a plane other than axial must be given for 2D networks only, got coronal");
    const flat = tfl.input({ shape: [2, 4, 1] });
    const layer = tfl.layers.conv2d({ filters: 4, kernelSize: 1 });
    const small = tfl.model({ inputs: flat, outputs: layer.apply(flat) as tfl.SymbolicTensor });
    layer.setWeights([tf.tensor([0, 2, 4, 6], [1, 1, 1, 4]), tf.tensor1d([0, -1, -4, -9])]);
    for (const plane of ["axial", "coronal", "sagittal"] as const) {
      const overlap: Triple = [0, 1, 2];
      const { labels } = await predictor({ model: small, plane, overlap, flips: [0, 1, 2], weighting: "gaussian" })(sample);
      expect(Array.from(labels), plane).toEqual(Array.from(values));
    }
    // Columns of sagittal slices are the height: mirrored along it, the shift goes both ways, and the mean is symmetric.
    const shifted = predictor({ model: shiftModel([3, 5]), plane: "sagittal", flips: [1], keepProbabilities: true });
    const ridge = Float32Array.from({ length: 105 }, (_, i) => (Math.floor(i / 7) % 5 === 2 ? 3 : 0));
    const { probabilities } = await shifted({ ...sample, image: Volume.of("float32", SHAPE, ridge) });
    const of = (z: number, y: number, x: number): number => probabilities![((z * 5 + y) * 7 + x) * 4 + 3]!;
    for (let z = 0; z < 3; z++) for (let y = 0; y < 5; y++) for (let x = 0; x < 7; x++) expect(of(z, y, x)).toBeCloseTo(of(z, 4 - y, x), 6);
    expect(of(0, 1, 0)).toBeGreaterThan(0.3);
  });
});
