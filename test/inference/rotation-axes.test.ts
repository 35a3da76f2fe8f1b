import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { axisAligned } from "../../src/core/geometry.js";
import type { Sample } from "../../src/core/sample.js";
import type { Triple } from "../../src/core/shape.js";
import { Volume } from "../../src/core/volume.js";
import { predictor, rotationAxes } from "../../src/inference/index.js";
import { identityModel } from "./identity-model.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const straight = [0, 1, 2] as const;

describe("axes of exact quarter turns", () => {
  it("are those across which window and spacing are square", () => {
    expect(rotationAxes("auto", { patch: [16, 64, 64], spacing: [3, 0.8, 0.8], along: straight })).toEqual([0]);
    expect(rotationAxes("auto", { patch: [64, 64, 64], spacing: [3, 0.8, 0.8], along: straight })).toEqual([0]);
    expect(rotationAxes("auto", { patch: [64, 64, 64], spacing: [1, 1, 1], along: straight })).toEqual([0, 1, 2]);
    expect(rotationAxes("auto", { patch: [32, 48, 32], spacing: [1, 1, 1], along: straight })).toEqual([1]);
    expect(rotationAxes("auto", { patch: [32, 32, 64], spacing: [0.800_02, 0.8, 0.8], along: straight })).toEqual([2]);
    expect(rotationAxes(["coronal"], { patch: [64, 64, 64], spacing: [1, 1, 1], along: straight })).toEqual([1]);
  });

  it("follow the slices that a 2D network sees", () => {
    // Sagittal slices: windows run along width, depth, height of the case.
    const along = [2, 0, 1] as const;
    expect(rotationAxes("auto", { patch: [1, 32, 32], spacing: [0.8, 0.8, 3], along })).toEqual([0]);
    expect(rotationAxes(["sagittal"], { patch: [1, 32, 32], spacing: [0.8, 0.8, 3], along })).toEqual([0]);
    expect(() => rotationAxes(["axial"], { patch: [1, 32, 32], spacing: [0.8, 0.8, 0.8], along })).toThrow("rotations");
  });

  it("that are none, or not those asked for, are named with window and spacing", () => {
    expect(() => rotationAxes("auto", { patch: [16, 64, 64], spacing: [0.8, 0.8, 1.2], along: straight })).toThrow(
      'predictor: rotations must be planes in which windows are square, in voxels and in millimeters (window 16x64x64 and spacing 0.8 x 0.8 x 1.2 mm), got "auto"',
    );
    expect(() => rotationAxes(["axial", "coronal"], { patch: [16, 64, 64], spacing: [1, 1, 1], along: straight })).toThrow('got ["axial","coronal"]');
    expect(() => rotationAxes(["oblique" as "axial"], { patch: [2, 2, 2], along: straight })).toThrow(
      '"auto" or planes among axial, coronal, sagittal',
    );
    expect(() => rotationAxes([], { patch: [2, 2, 2], along: straight })).toThrow("rotations");
  });

  it("are looked at before a case is read where no case can have them, and at each case for its spacing", async () => {
    expect(() => predictor({ model: identityModel(2, [2, 4, 6]), rotations: "auto" })).toThrow("(window 2x4x6)");
    const predict = predictor({ model: identityModel(3, [2, 4, 4]), rotations: "auto", flips: [2] });
    const values = Float32Array.from({ length: 3 * 5 * 6 }, (_, i) => (i * 7) % 3);
    const sample = (spacing: Triple): Sample => ({
      id: "case",
      image: Volume.of("float32", [3, 5, 6, 1], values, axisAligned(spacing)),
      epoch: 0,
      history: [],
    });
    expect(Array.from((await predict(sample([3, 1, 1]))).labels)).toEqual(Array.from(values));
    await expect(predict(sample([3, 1, 2]))).rejects.toThrow("spacing 3 x 1 x 2 mm");
  });
});
