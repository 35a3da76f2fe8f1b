import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fusedConv3d, startEngine } from "../../src/engine/index.js";
import type { CheckCase } from "../../src/engine/self-check/check-case.js";
import { evaluateCase, relativeDifference } from "../../src/engine/self-check/evaluate-case.js";
import { native } from "../../src/kernels/native.js";

type Five = [number, number, number, number, number];

/** The "same" convolution of 3x3x3 taps in double precision: what any order of sums is measured by. */
function exactConvolution(x: Float32Array, [batch, depth, height, width, from]: Five, w: Float32Array, to: number): Float64Array {
  const y = new Float64Array(batch * depth * height * width * to);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let d = 0; d < depth; d++) {
      for (let h = 0; h < height; h++) {
        for (let v = 0; v < width; v++, at += to) {
          for (let tap = 0; tap < 27; tap++) {
            const [z, r, c] = [d + Math.floor(tap / 9) - 1, h + (Math.floor(tap / 3) % 3) - 1, v + (tap % 3) - 1];
            if (z < 0 || r < 0 || c < 0 || z >= depth || r >= height || c >= width) continue;
            const voxel = (((n * depth + z) * height + r) * width + c) * from;
            for (let i = 0; i < from; i++) {
              const value = x[voxel + i]!;
              const row = (tap * from + i) * to;
              for (let o = 0; o < to; o++) y[at + o]! += value * w[row + o]!;
            }
          }
        }
      }
    }
  }
  return y;
}

describe.skipIf(!native())("3x3 taps by minimal filtering", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  it("rounds no worse than a direct sum in single precision", () => {
    const shape: Five = [2, 9, 10, 11, 32];
    const [x, w] = [tf.randomNormal(shape, 0, 1, "float32", 1), tf.randomNormal<tf.Rank.R5>([3, 3, 3, 32, 24], 0, 1, "float32", 2)];
    const exact = exactConvolution(x.dataSync<"float32">(), shape, w.dataSync<"float32">(), 24);
    const worst = (y: tf.Tensor) => Math.max(...Float32Array.from(y.dataSync()).map((value, i) => Math.abs(value - exact[i]!)));
    const ours = worst(tf.conv3d(x as tf.Tensor5D, w, 1, "same"));
    tf.setBackend("cpu");
    const direct = worst(tf.conv3d(x as tf.Tensor5D, w, 1, "same"));
    tf.setBackend("native");
    expect(ours).toBeGreaterThan(0);
    // Deviation of an output is sqrt(27 * 32) = 29; one unit in its last place is 2e-6.
    expect(ours).toBeLessThan(2 * direct);
  });

  it("has the value and both gradients of cpu for odd sizes, any channels, batches and taps along depth", async () => {
    const shapes = fc.record({
      size: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 13 })),
      depthTaps: fc.integer({ min: 1, max: 5 }),
      depthStride: fc.integer({ min: 1, max: 2 }),
      from: fc.integer({ min: 8, max: 40 }),
      to: fc.integer({ min: 8, max: 40 }),
      batch: fc.integer({ min: 1, max: 3 }),
      isSame: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ size, depthTaps, depthStride, from, to, batch, isSame }) => {
        fc.pre(isSame || (size[0] >= depthTaps && size[1] >= 3 && size[2] >= 3));
        const one: CheckCase = {
          op: "conv3d",
          detail: JSON.stringify({ size, depthTaps, depthStride, from, to, batch, isSame }),
          inputs: [{ shape: [batch, ...size, from] }, { shape: [depthTaps, 3, 3, from, to] }],
          run: ([x, w]) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, [depthStride, 1, 1], isSame ? "same" : "valid"),
        };
        tf.setBackend("cpu");
        const expected = await evaluateCase(one);
        tf.setBackend("native");
        const actual = await evaluateCase(one);
        expect(relativeDifference(actual.value, expected.value), one.detail).toBeLessThan(1e-5);
        expected.gradients.forEach((gradient, i) => {
          expect(relativeDifference(actual.gradients[i]!, gradient), `gradient ${i} of ${one.detail}`).toBeLessThan(1e-5);
        });
      }),
      { numRuns: Number(process.env.VOXSTREAM_FUZZ ?? 40), seed: 11 },
    );
  }, 120_000);

  it("keeps infinities and NaN in the outputs and gradients that see them, with their signs", () => {
    for (const odd of [Infinity, -Infinity, NaN]) {
      const values = new Float32Array(2 * 5 * 8 * 8 * 16).fill(1);
      values[5000] = odd;
      const x = tf.tensor5d(values, [2, 5, 8, 8, 16]);
      const w = tf.fill([3, 3, 3, 16, 20], 0.25) as tf.Tensor5D;
      const run = () => {
        const y = tf.conv3d(x, w, 1, "same");
        const [dx, dw] = tf.grads((a, b) => tf.sum(tf.conv3d(a as tf.Tensor5D, b as tf.Tensor5D, 1, "same")))([x, w]);
        return [y, dx!, dw!].map((t) => t.dataSync());
      };
      tf.setBackend("cpu");
      const expected = run();
      tf.setBackend("native");
      run().forEach((actual, i) => {
        expect(actual.filter((value) => !Number.isFinite(value)).length).toBe(expected[i]!.filter((value) => !Number.isFinite(value)).length);
        expect(
          actual.every((value, k) => (Number.isFinite(value) ? Math.abs(value - expected[i]![k]!) < 1e-3 : Object.is(value, expected[i]![k]))),
        ).toBe(true);
      });
    }
  });

  it("gives the same bits whatever thread runs a piece", () => {
    const x = tf.randomNormal([2, 12, 20, 20, 16], 0, 1, "float32", 3) as tf.Tensor5D;
    const w = tf.randomNormal<tf.Rank.R5>([3, 3, 3, 16, 32], 0, 1, "float32", 4);
    const run = () => {
      const [dx, dw] = tf.grads((a, b) => tf.sum(tf.square(fusedConv3d(a as tf.Tensor5D, b as tf.Tensor5D, undefined, { activation: "relu" }))))([
        x,
        w,
      ]);
      return [...dx!.dataSync(), ...dw!.dataSync()];
    };
    const first = run();
    for (let again = 0; again < 3; again++) expect(run()).toEqual(first);
  });
});
