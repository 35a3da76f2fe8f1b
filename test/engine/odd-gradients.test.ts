import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Adam, fusedConv3d, fusedConv3dTranspose, normalize, softmaxStatistics, startEngine, upSample3d } from "../../src/engine/index.js";
import { seededDropout } from "../../src/engine/ops/seeded-dropout.js";
import { native } from "../../src/kernels/native.js";

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Value and gradients of the sum of `run`, on native and on cpu. */
function both(run: Operation, inputs: () => tf.Tensor[], hasGradient = true): [actual: number[][], expected: number[][]] {
  const all = () =>
    tf.tidy(() => {
      const given = inputs();
      const value = run(...given);
      const gradients = hasGradient ? tf.grads((...xs) => tf.sum(run(...xs)))(given) : [];
      return [value, ...gradients].map((tensor) => [...tensor.dataSync()]);
    });
  tf.setBackend("cpu");
  const expected = all();
  tf.setBackend("native");
  return [all(), expected];
}

function expectSame([actual, expected]: [number[][], number[][]]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((values, i) => {
    const what = i === 0 ? "value" : `gradient ${i - 1}`;
    expect(actual[i]!.length, what).toBe(values.length);
    const scale = values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 1);
    const wrong = values.findIndex((value, k) =>
      Number.isFinite(value) ? !(Math.abs(actual[i]![k]! - value) <= 1e-4 * scale) : !Object.is(actual[i]![k]!, value),
    );
    expect(wrong < 0 ? "" : `${what}[${wrong}] is ${actual[i]![wrong]}, must be ${values[wrong]}`).toBe("");
  });
}

/** Small whole numbers, the one at `place` replaced. */
function numbers(shape: number[], odd?: number, place = 100): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => ((i * 7) % 5) - 2);
  if (odd !== undefined) values[place % values.length] = odd;
  return tf.tensor(values, shape);
}

const conv: Operation = (x, w) => fusedConv3d(x as tf.Tensor5D, w as tf.Tensor5D, undefined, {});
const strided: Operation = (x, w) => fusedConv3d(x as tf.Tensor5D, w as tf.Tensor5D, undefined, { strides: [2, 2, 2] });
const transposed: Operation = (x, w) => fusedConv3dTranspose(x as tf.Tensor5D, w as tf.Tensor5D, undefined, {});

describe.skipIf(!native())("values that are not finite, in values and gradients", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  // 3 channels go the direct way, 16 by minimal filtering.
  const convolutions: readonly [string, Operation, number[], number[]][] = [
    ["direct", conv, [1, 4, 6, 6, 3], [3, 3, 3, 3, 5]],
    ["by minimal filtering", conv, [1, 4, 8, 8, 16], [3, 3, 3, 16, 16]],
    ["strided", strided, [1, 5, 6, 7, 9], [3, 3, 3, 9, 4]],
    ["transposed", transposed, [1, 3, 3, 4, 9], [2, 2, 2, 17, 9]],
    ["of one tap", conv, [1, 4, 6, 6, 9], [1, 1, 1, 9, 3]],
  ];
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    it.each(convolutions)(`a convolution %s of a volume with ${odd}`, (_, run, x, w) => {
      expectSame(both(run, () => [numbers(x, odd), numbers(w)]));
    });
    // The border of zeros is multiplied too: 0 times infinity, where cpu leaves the tap out.
    it.each(convolutions)(`a convolution %s with ${odd} among its weights is not finite where cpu is not`, (_, run, x, w) => {
      const [actual, expected] = both(run, () => [numbers(x), numbers(w, odd, 40)]);
      expected.forEach((values, i) => {
        expect(values.every((value, k) => Number.isFinite(value) || !Number.isFinite(actual[i]![k]!))).toBe(true);
      });
      expect(expected[0]!.some((value) => !Number.isFinite(value))).toBe(true);
      // No tap of one voxel meets the border.
      if (run === conv && w[0] === 1) expectSame([actual, expected]);
    });
    it.each(["batch", "instance", "group"] as const)(`%s normalization of a volume with ${odd}`, (over) => {
      const run: Operation = (x, gamma, beta) => normalize(x!, gamma as tf.Tensor1D, beta as tf.Tensor1D, { over, groups: 2 }).y;
      expectSame(both(run, () => [numbers([2, 3, 4, 5, 4], odd), tf.ones([4]), tf.zeros([4])]));
    });
    it(`class sums of logits with ${odd}`, () => {
      const labels = tf.tensor5d(new Int32Array(2 * 60), [2, 3, 4, 5, 1], "int32");
      const run: Operation = (logits) => {
        const { overlap, predicted, surprise } = softmaxStatistics(logits!, labels);
        return tf.stack([overlap, predicted, surprise]);
      };
      const [actual, expected] = both(run, () => [numbers([2, 3, 4, 5, 3], odd)], false);
      // [kind][sample][class]; the voxel lies in the first sample. cpu multiplies it by the zeros of other classes' masks as well.
      expected[0]!.forEach((value, i) => {
        const isCounted = i % 3 === 0 || Math.floor(i / 6) === 1;
        if (Number.isFinite(value)) expect(actual[0]![i]).toBeCloseTo(value, 4);
        else if (isCounted) expect(actual[0]![i]).toBe(value);
      });
      if (odd !== Number.NEGATIVE_INFINITY) expect(actual[0]!.slice(6, 9)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
      labels.dispose();
    });

    const others: readonly [string, Operation, number[]][] = [
      ["dropout", (x) => seededDropout(x!, { rate: 0.3, key: [1, 2] }), [1, 3, 4, 5, 3]],
      ["mean pooling", (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, "same"), [1, 3, 4, 5, 3]],
      ["a product of matrices", (x) => tf.matMul(x!, tf.ones([33, 21])), [19, 33]],
      ["the sum over a batch", (x) => tf.sum(x!, [0]), [9, 33]],
    ];
    it.each(others)(`%s of values with ${odd}`, (_, run, shape) => {
      expectSame(both(run, () => [numbers(shape, odd)]));
    });
    it(`enlargement spreads ${odd} to its neighbors alone`, () => {
      tf.setBackend("native");
      const y = tf.tidy(() => [
        ...upSample3d(tf.tensor5d([1, 2, odd, 4, 5], [1, 5, 1, 1, 1]), { size: [2, 1, 1], interpolation: "linear" }).dataSync(),
      ]);
      expect(y.map(Number.isFinite)).toEqual([true, true, true, false, false, false, false, true, true, true]);
    });
  }
});

describe.skipIf(!native())("denormal numbers", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  const TINY = [1e-40, -1e-40, 1.4e-45, -1.4e-45, 1.1e-38, -1.1e-38, 3e-42];
  const tiny = (shape: number[]) =>
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => TINY[i % 7]!),
      shape,
    );
  /** Relative to each value however small; two of the smallest denormals are rounding. */
  const expectKept = (run: Operation, inputs: () => tf.Tensor[], isSum = false) => {
    const [[actual], [expected]] = both(run, inputs, false) as [[number[]], [number[]]];
    expect(expected.some((value) => value !== 0)).toBe(true);
    expect(actual.length).toBe(expected.length);
    const largest = Math.max(...expected.map(Math.abs));
    expected.forEach((value, i) => {
      // Each of the 432 terms at most may round by the smallest denormal.
      const limit = 2e-6 * (isSum ? largest : Math.abs(value)) + (isSum ? 432 : 2) * 1.5e-45;
      expect(Math.abs(actual[i]! - value), `${i}: ${actual[i]} for ${value}`).toBeLessThanOrEqual(limit);
    });
  };
  const kept: Readonly<Record<string, Operation>> = {
    neg: (x) => tf.neg(x!),
    abs: (x) => tf.abs(x!),
    relu: (x) => tf.relu(x!),
    leakyRelu: (x) => tf.leakyRelu(x!, 0.5),
    tanh: (x) => tf.tanh(x!),
    sqrt: (x) => tf.sqrt(tf.abs(x!)),
    log: (x) => tf.log(tf.abs(x!)),
    "a sum": (x) => tf.sum(x!, [1]),
    "a product with 0.5": (x) => tf.mul(x!, 0.5),
    "a quotient by 1e-3": (x) => tf.div(x!, 1e-3),
    maximum: (x) => tf.maximum(x!, 0),
  };
  it.each(Object.entries(kept))("are not zero in %s", (_, run) => {
    expectKept(run, () => [tiny([7, 21])]);
  });
  it("are not zero in the tail of exp, convolutions, products of matrices and pooling", () => {
    expectKept(
      (x) => tf.exp(x!),
      () => [tf.tensor1d([-88, -90, -95, -100, -103])],
    );
    for (const channels of [3, 16]) expectKept(conv, () => [tiny([1, 4, 6, 6, channels]), tf.ones([3, 3, 3, channels, 16])], true);
    expectKept(
      (a, b) => tf.matMul(a!, b!),
      () => [tiny([19, 33]), tf.ones([33, 21])],
      true,
    );
    expectKept(
      (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, "same"),
      () => [tiny([1, 3, 4, 5, 3])],
    );
    expectKept(
      (x) => upSample3d(x as tf.Tensor5D, { size: [2, 2, 2], interpolation: "linear" }),
      () => [tiny([1, 3, 4, 5, 3])],
    );
  });
});

describe.skipIf(!native())("tensors without elements, and of one voxel", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  const ones = (shape: number[]) => tf.ones(shape);
  const normalized =
    (over: "batch" | "instance" | "group"): Operation =>
    (x, gamma, beta) =>
      normalize(x!, gamma as tf.Tensor1D, beta as tf.Tensor1D, { over, activation: "relu" }).y;
  const statistics: Operation = (logits) => softmaxStatistics(logits!, tf.zeros([...logits!.shape.slice(0, -1), 1], "int32")).surprise;
  const operations: readonly [string, Operation, (shape: number[]) => tf.Tensor[]][] = [
    ["convolution", conv, (shape) => [ones(shape), ones([3, 3, 3, 2, 3])]],
    ["strided convolution", strided, (shape) => [ones(shape), ones([1, 3, 1, 2, 3])]],
    ["transposed convolution", transposed, (shape) => [ones(shape), ones([2, 2, 2, 3, 2])]],
    ["batch normalization", normalized("batch"), (shape) => [ones(shape), ones([2]), ones([2])]],
    ["instance normalization", normalized("instance"), (shape) => [ones(shape), ones([2]), ones([2])]],
    ["group normalization", normalized("group"), (shape) => [ones(shape), ones([2]), ones([2])]],
    ["enlargement", (x) => upSample3d(x as tf.Tensor5D, { size: [2, 2, 2], interpolation: "linear" }), (shape) => [ones(shape)]],
    ["dropout", (x) => seededDropout(x!, { rate: 0.3, key: [1, 2] }), (shape) => [ones(shape)]],
    ["maximum pooling", (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, "same"), (shape) => [ones(shape)]],
    ["mean pooling", (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, "same"), (shape) => [ones(shape)]],
    ["softmax", (x) => tf.softmax(x!), (shape) => [ones(shape)]],
    ["maximum over channels", (x) => tf.max(x!, 4), (shape) => [ones(shape)]],
    ["mean of voxels", (x) => tf.mean(x!, [1, 2, 3]), (shape) => [ones(shape)]],
    [
      "padding",
      (x) =>
        tf.pad(x!, [
          [0, 0],
          [1, 0],
          [0, 1],
          [0, 0],
          [0, 0],
        ]),
      (shape) => [ones(shape)],
    ],
    ["tiling", (x) => tf.tile(x!, [1, 2, 1, 1, 2]), (shape) => [ones(shape)]],
    ["selection", (x) => tf.where(tf.ones(x!.shape, "bool"), x!, tf.zerosLike(x!)), (shape) => [ones(shape)]],
  ];
  it.each(operations)("%s of one voxel", (_, run, inputs) => {
    expectSame(both(run, () => inputs([1, 1, 1, 1, 2])));
  });
  // The stock gradient of the composed normalization fails on cpu where there is nothing to normalize.
  it.each(operations)("%s of no volume", (name, run, inputs) => {
    const isComposed = name.endsWith("normalization");
    expectSame(both(run, () => inputs([0, 4, 4, 4, 2]), !isComposed));
    if (!isComposed) return;
    const [dx, dgamma, dbeta] = tf.tidy(() =>
      tf
        .grads((...xs) => tf.sum(run(...xs)))(inputs([0, 4, 4, 4, 2]))
        .map((gradient) => [...gradient.dataSync()]),
    );
    expect([dx, dgamma, dbeta]).toEqual([[], [0, 0], [0, 0]]);
  });

  it("class sums of one voxel, and of no volume", () => {
    expectSame(both(statistics, () => [ones([1, 1, 1, 1, 2])]));
    // The stock cpu engine cannot unstack a tensor without elements.
    const none = ones([0, 4, 4, 4, 2]);
    const [value, gradient] = tf.tidy(() => [statistics(none), tf.grad((x) => tf.sum(statistics(x)))(none)].map(({ shape }) => shape));
    expect([value, gradient]).toEqual([
      [0, 2],
      [0, 4, 4, 4, 2],
    ]);
    none.dispose();
  });

  it("a product of matrices without rows, columns or terms", () => {
    for (const [n, k, m] of [
      [0, 3, 4],
      [3, 0, 4],
      [3, 4, 0],
    ] as const) {
      expectSame(
        both(
          (a, b) => tf.matMul(a!, b!),
          () => [ones([n, k]), ones([k, m])],
        ),
      );
    }
  });

  it("Adam updates a weight of one element, and none", () => {
    for (const shape of [[1], [0, 3]]) {
      const weight = tf.variable(ones(shape));
      const optimizer = new Adam({ learningRate: 0.1 });
      const gradient = ones(shape);
      optimizer.applyGradients([{ name: weight.name, tensor: gradient }]);
      for (const value of weight.dataSync()) expect(value).toBeCloseTo(0.9, 5);
      tf.dispose([weight, gradient]);
      optimizer.dispose();
    }
  });
});
