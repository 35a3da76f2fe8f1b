import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import type { CheckCase } from "../../src/engine/self-check/check-case.js";
import { evaluateCase, relativeDifference } from "../../src/engine/self-check/evaluate-case.js";
import { native } from "../../src/kernels/native.js";

type Triple = [number, number, number];
const triple = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min, max }));

describe.skipIf(!native())("3D convolution of any shape", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  it("has the value and both gradients of cpu", () => {
    const shapes = fc.record({
      size: triple(1, 7),
      kernel: triple(1, 4),
      stride: triple(1, 3),
      dilation: triple(1, 3),
      from: fc.integer({ min: 1, max: 40 }),
      to: fc.integer({ min: 1, max: 40 }),
      batch: fc.integer({ min: 1, max: 2 }),
      isSame: fc.boolean(),
      isDilated: fc.boolean(),
    });
    fc.assert(
      fc.property(shapes, ({ size, kernel, stride, dilation, from, to, batch, isSame, isDilated }) => {
        // TensorFlow takes strides or dilations, not both.
        const strides: Triple = isDilated ? [1, 1, 1] : stride;
        const rates: Triple = isDilated ? dilation : [1, 1, 1];
        fc.pre(isSame || size.every((extent, a) => (kernel[a]! - 1) * rates[a]! < extent));
        const one: CheckCase = {
          op: "conv3d",
          detail: JSON.stringify({ size, kernel, strides, rates, from, to, batch, isSame }),
          inputs: [{ shape: [batch, ...size, from] }, { shape: [...kernel, from, to] }],
          run: ([x, w]) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, strides, isSame ? "same" : "valid", "NDHWC", rates),
        };
        tf.setBackend("cpu");
        const expected = evaluateCase(one);
        tf.setBackend("native");
        const actual = evaluateCase(one);
        expect(relativeDifference(actual.value, expected.value)).toBeLessThan(1e-4);
        expected.gradients.forEach((gradient, i) => {
          expect(relativeDifference(actual.gradients[i]!, gradient), `gradient ${i}`).toBeLessThan(1e-4);
        });
      }),
      { numRuns: Number(process.env.VOXSTREAM_FUZZ ?? 60), seed: 7 },
    );
  }, 120_000);
});
