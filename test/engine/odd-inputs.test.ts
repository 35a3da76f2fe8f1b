import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { fusedConv3d, normalize, softmaxStatistics, startEngine } from "../../src/engine/index.js";
import { native } from "../../src/kernels/native.js";

/** The value on native and on cpu. */
function both(run: () => tf.Tensor): [actual: number[], expected: number[]] {
  const value = () => tf.tidy(() => [...run().dataSync()]);
  tf.setBackend("cpu");
  const expected = value();
  tf.setBackend("native");
  return [value(), expected];
}

function expectSame(run: () => tf.Tensor): void {
  const [actual, expected] = both(run);
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    if (Number.isFinite(expected[i]!)) expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(expected[i]!)));
    else expect(value).toBe(expected[i]);
  });
}

const SPECIAL = [0, -0, 1, -1, 1e-40, -1e-40, 1e-45, 1.4e-38, 3e38, -3e38, 88.9, -103.5, -150, 200, Infinity, -Infinity, NaN];

describe.skipIf(!native())("odd inputs give what cpu gives", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native" });
  });

  const unary = {
    neg: tf.neg,
    abs: tf.abs,
    square: tf.square,
    exp: tf.exp,
    log: tf.log,
    relu: tf.relu,
    sigmoid: tf.sigmoid,
    tanh: tf.tanh,
    sign: tf.sign,
  };
  const more = { floor: tf.floor, ceil: tf.ceil, softplus: tf.softplus, leakyRelu: tf.leakyRelu, sqrt: tf.sqrt, rsqrt: tf.rsqrt, relu6: tf.relu6 };
  it.each(Object.entries({ ...unary, ...more }))("%s of zeros, denormals, huge numbers, infinities and NaN", (_, run) => {
    expectSame(() => run(tf.tensor1d(SPECIAL)));
  });

  const binary = { maximum: tf.maximum, minimum: tf.minimum, add: tf.add, mul: tf.mul, div: tf.div, less: tf.less, equal: tf.equal };
  it.each(Object.entries(binary))("%s of all pairs of them", (_, run) => {
    expectSame(() => tf.cast(run(tf.reshape(tf.tensor1d(SPECIAL), [-1, 1]), tf.tensor1d(SPECIAL)), "float32"));
  });

  it("keeps a NaN and an infinity of a volume in the voxels that see them", () => {
    for (const odd of [NaN, Infinity]) {
      const values = new Float32Array(2 * 7 * 7 * 7 * 3).fill(1);
      values[600] = odd;
      expectSame(() => tf.conv3d(tf.tensor5d(values, [2, 7, 7, 7, 3]), tf.ones([3, 3, 3, 3, 20]), 1, "same"));
      const pooled = tf.maxPool3d(tf.tensor5d(values, [2, 7, 7, 7, 3]), 2, 2, "same").dataSync();
      // The stock kernel passes over a NaN and hides it from the loss; this one keeps it, as PyTorch does.
      expect(pooled.filter((value) => Object.is(value, odd)).length).toBe(1);
      expect(pooled.filter((value) => value === 1).length).toBe(pooled.length - 1);
      expectSame(() => tf.sum(tf.tensor5d(values, [2, 7, 7, 7, 3]), [1, 2, 3]));
      expectSame(() => tf.max(tf.tensor5d(values, [2, 7, 7, 7, 3]), [4]));
    }
  });

  it("handles volumes of one voxel", () => {
    expectSame(() => fusedConv3d(tf.ones([1, 1, 1, 1, 1]), tf.ones([3, 3, 3, 1, 1]), tf.tensor1d([0.5]), { activation: "relu" }));
    expectSame(() => normalize(tf.ones([1, 1, 1, 1, 4]), tf.ones([4]), tf.ones([4]), { over: "instance" }).y);
    expectSame(() => softmaxStatistics(tf.ones([1, 1, 1, 1, 2]), tf.zeros([1, 1, 1, 1, 1], "int32")).surprise);
    expectSame(() => tf.avgPool3d(tf.ones<tf.Rank.R5>([1, 1, 1, 1, 3]), 2, 2, "same"));
  });

  it("handles tensors without elements", () => {
    const none = () => tf.zeros([0, 4, 4, 4, 3]) as tf.Tensor5D;
    expectSame(() => tf.add(none(), 1));
    expectSame(() => tf.relu(none()));
    expectSame(() => tf.sum(none()));
    expectSame(() => tf.sum(none(), [0]));
    expectSame(() => tf.concat([none(), tf.ones([1, 4, 4, 4, 3])], 0));
    expectSame(() => tf.slice(tf.ones([2, 3]), [1, 0], [0, 3]));
    expectSame(() => tf.transpose(tf.zeros([0, 3])));
    expectSame(() => tf.conv3d(none(), tf.ones<tf.Rank.R5>([3, 3, 3, 3, 2]), 1, "same"));
    const [dw] = tf.tidy(() =>
      tf
        .grads((x, w) => tf.sum(tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 1, "same")))([none(), tf.ones([3, 3, 3, 3, 100])])
        .slice(1),
    );
    expect(dw!.dataSync().every((value) => value === 0)).toBe(true);
  });

  // Four gigabytes and some seconds: only where it is asked for.
  it.skipIf(process.env.VOXSTREAM_LARGE_TESTS !== "1")("reads and writes beyond 2 GB of one tensor", () => {
    const shape: [number, number, number, number, number] = [1, 512, 512, 1032, 2];
    const last = tf.tidy(() => {
      const x = tf.pad(
        tf.ones<tf.Rank.R5>([1, 511, 512, 1032, 2]),
        [
          [0, 0],
          [0, 1],
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        3,
      );
      expect(x.shape).toEqual(shape);
      const y = tf.conv3d(x as tf.Tensor5D, tf.tensor5d([1, 2], [1, 1, 1, 2, 1]), 1, "same");
      return [...tf.slice(y, [0, 510, 511, 1031, 0], [1, 2, 1, 1, 1]).dataSync()];
    });
    expect(last).toEqual([3, 9]);
  });

  it.skipIf(process.env.VOXSTREAM_LARGE_TESTS !== "1")("convolves tensors of more than 2 GB, and sums the gradient of the filter over one", () => {
    const shape: [number, number, number, number, number] = [1, 264, 512, 512, 8];
    const corners = tf.tidy(() => {
      const x = tf.ones<tf.Rank.R5>(shape);
      const w = tf.ones<tf.Rank.R5>([3, 3, 3, 8, 8]);
      const y = tf.conv3d(x, w, 1, "same");
      const [last, inside] = [tf.slice(y, [0, 263, 511, 511, 7], [1, 1, 1, 1, 1]), tf.slice(y, [0, 262, 510, 510, 7], [1, 1, 1, 1, 1])];
      y.dispose();
      const dw = tf
        .engine()
        .runKernel("Conv3DBackpropFilterV2", { x, dy: x }, { strides: [1, 1, 1], pad: "same", filterShape: w.shape }) as tf.Tensor;
      return [...last.dataSync(), ...inside.dataSync(), tf.slice(dw, [1, 1, 1, 7, 7], [1, 1, 1, 1, 1]).dataSync()[0]! / (264 * 512 * 512)];
    });
    expect(corners.slice(0, 2)).toEqual([64, 216]);
    // 69 million ones in float32, by parts.
    expect(corners[2]).toBeCloseTo(1, 3);
  });

  it("ignores labels outside the classes", () => {
    const logits = tf.tensor([0, 1, 2, 3], [1, 2, 2]);
    const { actual, surprise } = softmaxStatistics(logits, tf.tensor([7, 1], [1, 2, 1], "int32"));
    expect([...actual.dataSync()]).toEqual([0, 1]);
    expect(surprise.dataSync()[0]).toBe(0);
  });

  it("extreme logits do not overflow", () => {
    expectSame(() => tf.softmax(tf.tensor2d([1e30, 0, -1e30, 100, 100, 99], [2, 3])));
    expectSame(() => tf.logSoftmax(tf.tensor2d([1000, 0, -1000, 1e4, 1e4, 9999], [2, 3])));
    const { surprise } = softmaxStatistics(tf.tensor([1e4, -1e4], [1, 1, 2]), tf.tensor([1], [1, 1, 1], "int32"));
    expect([...surprise.dataSync()]).toEqual([0, 2e4]);
  });
});

describe.skipIf(!native())("the addon", () => {
  it("throws at arguments that would reach outside an array", () => {
    const addon = native()!;
    const geometry = Float64Array.of(1, 4, 4, 4, 2, 3, 3, 3, 2, 4, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    const [x, w, y] = [new Float32Array(128), new Float32Array(108), new Float32Array(127)];
    expect(() => addon.convForward(x, w, null, y, geometry, 0, 0)).toThrow(
      "argument 3 must be a typed array of 4-byte elements with at least 128 of them",
    );
    expect(() => addon.convForward(x, w, null, new Float32Array(128), geometry.slice(1), 0, 0)).toThrow("argument 4");
    expect(() =>
      addon.convForward(
        x,
        w,
        null,
        new Float32Array(128),
        geometry.map((v, i) => (i === 5 ? 0 : v)),
        0,
        0,
      ),
    ).toThrow("filters 1 to 63");
    expect(() => addon.stridedCopy(x, y, Float64Array.of(1, 0, 0, 128, 1, 1))).toThrow("the view leaves its array");
    expect(() => addon.stridedCopy(x, y, Float64Array.of(1, 0, 0, 4, -1, 1))).toThrow("the view leaves its array");
    expect(() => addon.binary(0, x, x, y, Float64Array.of(1, 200, 1, 0), 0)).toThrow("argument 1");
    expect(() => addon.applyAxis(x, y, 1, 2, 1, 1, Int32Array.of(0, 1), Int32Array.of(2), Float32Array.of(1))).toThrow("outside the axis");
    expect(() => addon.unary(99, x, x, 0, 0)).toThrow("unknown operation");
    expect(() => addon.reduce(0, x, y, 3, 43, 1)).toThrow("argument 1");
  });
});
