import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fusedConv3d, fusedConv3dTranspose, startEngine } from "../../src/engine/index.js";
import type { CheckCase } from "../../src/engine/self-check/check-case.js";
import { evaluateCase, relativeDifference } from "../../src/engine/self-check/evaluate-case.js";
import { native } from "../../src/kernels/native.js";

type Triple = [number, number, number];
const triple = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min, max }));

describe.skipIf(!native())("3D convolution of any shape", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  it("has the value and both gradients of cpu", async () => {
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
    await fc.assert(
      fc.asyncProperty(shapes, async ({ size, kernel, stride, dilation, from, to, batch, isSame, isDilated }) => {
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
        const expected = await evaluateCase(one);
        tf.setBackend("native");
        const actual = await evaluateCase(one);
        expect(relativeDifference(actual.value, expected.value)).toBeLessThan(1e-4);
        expected.gradients.forEach((gradient, i) => {
          expect(relativeDifference(actual.gradients[i]!, gradient), `gradient ${i}`).toBeLessThan(1e-4);
        });
      }),
      { numRuns: Number(process.env.VOXSTREAM_FUZZ ?? 60), seed: 7 },
    );
  }, 120_000);
});

type Gradients = { readonly value: Float32Array; readonly gradients: readonly Float32Array[] };

/** `same` padding as it is defined: half of what the filter reaches beyond the grid, never less than 0. In double precision. */
function directConvolution(x: tf.Tensor5D, w: tf.Tensor5D, strides: Triple): Float32Array {
  const [batch, ...rest] = x.shape;
  const [size, kernel] = [rest.slice(0, 3), w.shape.slice(0, 3)];
  const [from, to] = [w.shape[3], w.shape[4]];
  const out = size.map((extent, a) => Math.ceil(extent / strides[a]!));
  const before = size.map((extent, a) => Math.floor(Math.max(0, (out[a]! - 1) * strides[a]! + kernel[a]! - extent) / 2));
  const [xs, ws] = [x.dataSync(), w.dataSync()];
  const y = new Float32Array(batch * out[0]! * out[1]! * out[2]! * to);
  for (let i = 0; i < y.length; i++) {
    const channel = i % to;
    const voxel = Math.floor(i / to);
    const o = [Math.floor(voxel / (out[1]! * out[2]!)) % out[0]!, Math.floor(voxel / out[2]!) % out[1]!, voxel % out[2]!];
    const n = Math.floor(voxel / (out[0]! * out[1]! * out[2]!));
    let sum = 0;
    for (let tap = 0; tap < kernel[0]! * kernel[1]! * kernel[2]!; tap++) {
      const t = [Math.floor(tap / (kernel[1]! * kernel[2]!)), Math.floor(tap / kernel[2]!) % kernel[1]!, tap % kernel[2]!];
      const at = o.map((place, a) => place * strides[a]! + t[a]! - before[a]!);
      if (at.some((place, a) => place < 0 || place >= size[a]!)) continue;
      for (let c = 0; c < from; c++) {
        sum += xs[(((n * size[0]! + at[0]!) * size[1]! + at[1]!) * size[2]! + at[2]!) * from + c]! * ws[(tap * from + c) * to + channel]!;
      }
    }
    y[i] = sum;
  }
  return y;
}

const volumes = (size: Triple, kernel: Triple, from: number, to: number): CheckCase["inputs"] => [
  { shape: [2, ...size, from] },
  { shape: [...kernel, from, to] },
];

describe.skipIf(!native())("strides larger than the filter, with `same` padding", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  const on = async (backend: string, one: CheckCase): Promise<Gradients> => {
    tf.setBackend(backend);
    return await evaluateCase(one);
  };
  const expectEqual = (actual: Gradients, expected: Gradients) => {
    expect(actual.gradients.length).toBe(expected.gradients.length);
    expect(relativeDifference(actual.value, expected.value)).toBeLessThan(1e-4);
    expected.gradients.forEach((gradient, i) => {
      expect(relativeDifference(actual.gradients[i]!, gradient), `gradient ${i}`).toBeLessThan(1e-4);
    });
  };

  const shapes: readonly (readonly [Triple, Triple, Triple])[] = [
    [
      [4, 6, 8],
      [1, 1, 1],
      [2, 2, 2],
    ],
    [
      [5, 7, 9],
      [1, 2, 1],
      [2, 3, 4],
    ],
    [
      [1, 8, 6],
      [1, 1, 1],
      [1, 2, 3],
    ],
    [
      [7, 8, 9],
      [3, 1, 2],
      [2, 2, 5],
    ],
  ];
  it.each(shapes)(
    "convolution of %s with filter %s and stride %s begins at the first voxel, on cpu and native alike",
    async (size, kernel, strides) => {
      const one: CheckCase = {
        op: "fusedConv3d",
        detail: `${size} ${kernel} ${strides}`,
        inputs: volumes(size, kernel, 3, 17),
        run: ([x, w]) => fusedConv3d(x as tf.Tensor5D, w as tf.Tensor5D, undefined, { strides }),
      };
      expectEqual(await on("native", one), await on("cpu", one));
      for (const backend of ["cpu", "native"]) {
        tf.setBackend(backend);
        tf.tidy(() => {
          const [x, w] = [tf.randomNormal<tf.Rank.R5>([2, ...size, 3]), tf.randomNormal<tf.Rank.R5>([...kernel, 3, 4])];
          const y = fusedConv3d(x, w, undefined, { strides }).dataSync() as Float32Array;
          expect(relativeDifference(Float32Array.from(y), directConvolution(x, w, strides)), backend).toBeLessThan(1e-5);
        });
      }
    },
  );

  it.each(["cpu", "native"])("a transposed convolution is the gradient of that convolution, on %s", (backend) => {
    tf.setBackend(backend);
    tf.tidy(() => {
      const [x, dy, w] = [
        tf.randomNormal<tf.Rank.R5>([2, 4, 6, 9, 3]),
        tf.randomNormal<tf.Rank.R5>([2, 2, 3, 3, 5]),
        tf.randomNormal<tf.Rank.R5>([1, 2, 1, 3, 5]),
      ];
      const strides: Triple = [2, 2, 3];
      const along = tf.grad((input) => tf.sum(tf.mul(fusedConv3d(input as tf.Tensor5D, w, undefined, { strides }), dy)))(x);
      const actual = fusedConv3dTranspose(dy, w, undefined, { strides });
      expect(actual.shape).toEqual(x.shape);
      expect(relativeDifference(Float32Array.from(actual.dataSync()), Float32Array.from(along.dataSync()))).toBeLessThan(1e-5);
      const bias = tf.tensor1d([-1, 0.5, 2]);
      const withBias = fusedConv3dTranspose(dy, w, bias, { strides, activation: "relu" });
      const expected = tf.relu(tf.add(actual, bias));
      expect(relativeDifference(Float32Array.from(withBias.dataSync()), Float32Array.from(expected.dataSync()))).toBeLessThan(1e-5);
    });
  });

  it("images have the values and gradients of the stock 2D operations of cpu", async () => {
    const inputs = [{ shape: [2, 8, 9, 4] }, { shape: [1, 2, 4, 5] }];
    const stock: CheckCase = {
      op: "conv2d",
      detail: "strided",
      inputs,
      run: ([x, w]) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 4], "same"),
    };
    const flat: CheckCase = {
      ...stock,
      run: ([x, w]) =>
        tf.squeeze(fusedConv3d(tf.expandDims(x!, 1) as tf.Tensor5D, tf.expandDims(w!, 0) as tf.Tensor5D, undefined, { strides: [1, 2, 4] }), [1]),
    };
    const expected = await on("cpu", stock);
    for (const one of [stock, flat]) expectEqual(await on("native", one), expected);
    expectEqual(await on("cpu", flat), expected);
    const back: CheckCase = {
      op: "conv2dTranspose",
      detail: "strided",
      inputs: [{ shape: [2, 4, 3, 5] }, { shape: [1, 2, 4, 5] }],
      run: ([x, w]) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, 8, 12, 4], [2, 4], "same"),
    };
    const flatBack: CheckCase = {
      ...back,
      run: ([x, w]) =>
        tf.squeeze(
          fusedConv3dTranspose(tf.expandDims(x!, 1) as tf.Tensor5D, tf.expandDims(w!, 0) as tf.Tensor5D, undefined, { strides: [1, 2, 4] }),
          [1],
        ),
    };
    for (const one of [back, flatBack]) expectEqual(await on("native", one), await on("cpu", back));
  });

  const inputs = [{ shape: [2, 6, 8, 9, 5] }];
  const planar = [{ shape: [2, 8, 9, 5] }];
  const others: readonly CheckCase[] = [
    { op: "maxPool3d", detail: "", inputs, run: ([x]) => tf.maxPool3d(x as tf.Tensor5D, [1, 2, 2], [2, 3, 4], "same") },
    { op: "avgPool3d", detail: "", inputs, run: ([x]) => tf.avgPool3d(x as tf.Tensor5D, [1, 2, 1], [2, 3, 4], "same") },
    { op: "maxPool", detail: "", inputs: planar, run: ([x]) => tf.maxPool(x as tf.Tensor4D, [1, 2], [3, 3], "same") },
    { op: "avgPool", detail: "", inputs: planar, run: ([x]) => tf.avgPool(x as tf.Tensor4D, [1, 2], [3, 3], "same") },
    {
      op: "conv3d",
      detail: "",
      inputs: volumes([6, 8, 9], [1, 2, 1], 3, 5),
      run: ([x, w]) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, [2, 3, 4], "same"),
    },
    {
      op: "conv3dTranspose",
      detail: "",
      inputs: [{ shape: [2, 3, 4, 3, 5] }, { shape: [1, 2, 1, 4, 5] }],
      run: ([x, w]) => tf.conv3dTranspose(x as tf.Tensor5D, w as tf.Tensor5D, [2, 6, 8, 9, 4], [2, 2, 3], "same"),
    },
    {
      op: "depthwiseConv2d",
      detail: "",
      inputs: [{ shape: [2, 8, 9, 3] }, { shape: [1, 1, 3, 2] }],
      run: ([x, w]) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, "same"),
    },
  ];
  // The stock kernel numbers the places of a window by its height instead of its width, and so loses gradients where the two differ.
  it("the gradient of a maximum goes to it whatever the sides of the window", () => {
    tf.setBackend("native");
    tf.tidy(() => {
      const x = tf.tensor5d([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 8, 1, 1]);
      const pool = (input: tf.Tensor) => tf.maxPool3d(input as tf.Tensor5D, [1, 2, 1], [1, 3, 1], "same");
      expect([...pool(x).dataSync()]).toEqual([2, 5, 8]);
      const dy = tf.tensor5d([10, 20, 30], [1, 1, 3, 1, 1]);
      expect([
        ...tf
          .grad((input) => tf.sum(tf.mul(pool(input), dy)))(x)
          .dataSync(),
      ]).toEqual([0, 10, 0, 0, 20, 0, 0, 30]);
    });
  });

  it.each(others.map((one) => [one.op, one] as const))("%s has the value and gradients of cpu", async (_, one) => {
    expectEqual(await on("native", one), await on("cpu", one));
  });
});
