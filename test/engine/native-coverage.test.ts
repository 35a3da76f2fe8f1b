import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Engine, startEngine } from "../../src/engine/index.js";
import { native } from "../../src/kernels/native.js";

type Five = tf.Tensor5D;

describe.skipIf(!native())("the native engine has kernels of its own for", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ engine: "native", threads: 2 });
  });
  beforeEach(() => {
    tf.setBackend("native");
    engine.profile();
  });

  const floats = (...shape: number[]) => tf.randomNormal(shape, 0, 1, "float32", 1);
  const integers = (...shape: number[]) => tf.cast(tf.randomUniform(shape, 0, 4, "float32", 2), "int32");
  const truths = (...shape: number[]) => tf.greater(floats(...shape), 0);
  const gradients = (f: (...x: tf.Tensor[]) => tf.Tensor, ...x: tf.Tensor[]) => tf.grads((...all) => tf.sum(f(...all)))(x);
  const conv3d = (stride: number, dilation: number) => (x: tf.Tensor, w: tf.Tensor) =>
    tf.conv3d(x as Five, w as Five, stride, "same", "NDHWC", dilation);

  // The operations of the training side, by family; each with every type that it takes.
  const families: Readonly<Record<string, () => unknown>> = {
    "3D convolution": () => [
      gradients(conv3d(1, 1), floats(2, 5, 6, 7, 3), floats(3, 3, 3, 3, 4)),
      gradients(conv3d(2, 1), floats(2, 5, 6, 7, 3), floats(2, 2, 2, 3, 4)),
      gradients(conv3d(1, 2), floats(2, 5, 6, 7, 3), floats(3, 3, 3, 3, 4)),
      gradients((x, w) => tf.conv3dTranspose(x as Five, w as Five, [1, 4, 4, 4, 3], 2, "same"), floats(1, 2, 2, 2, 4), floats(2, 2, 2, 3, 4)),
    ],
    "2D convolution": () => [
      gradients((x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, "same"), floats(2, 6, 7, 3), floats(3, 3, 3, 4)),
      gradients((x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [1, 4, 4, 3], 2, "same"), floats(1, 2, 2, 4), floats(2, 2, 3, 4)),
    ],
    pooling: () => [
      gradients((x) => tf.maxPool3d(x as Five, 2, 2, "same"), floats(2, 5, 6, 7, 3)),
      gradients((x) => tf.avgPool3d(x as Five, 2, 2, "valid"), floats(2, 5, 6, 7, 3)),
      gradients((x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "same"), floats(2, 6, 7, 3)),
      gradients((x) => tf.avgPool(x as tf.Tensor4D, 2, 2, "same"), floats(2, 6, 7, 3)),
    ],
    "unary operations": () => {
      const positive = tf.add(tf.abs(floats(4, 5)), 1.1);
      const all = [
        tf.neg,
        tf.abs,
        tf.square,
        tf.exp,
        tf.relu,
        tf.relu6,
        tf.leakyRelu,
        tf.elu,
        tf.selu,
        tf.sigmoid,
        tf.tanh,
        tf.softplus,
        tf.sin,
        tf.cos,
        tf.tan,
      ];
      const more = [tf.atan, tf.sinh, tf.cosh, tf.asinh, tf.expm1, tf.erf];
      const ofPositive = [tf.sqrt, tf.rsqrt, tf.reciprocal, tf.log, tf.log1p, tf.acosh];
      const ofSmall = [tf.asin, tf.acos, tf.atanh];
      const flat = [tf.sign, tf.floor, tf.ceil, tf.round, tf.step, tf.isNaN, tf.isInf, tf.isFinite];
      return [
        [...all, ...more].map((f) => gradients((x) => f(x), floats(4, 5))),
        ofPositive.map((f) => gradients((x) => f(x), positive)),
        ofSmall.map((f) => gradients((x) => f(x), tf.div(1, positive))),
        flat.map((f) => f(floats(4, 5))),
        gradients((x) => tf.clipByValue(x, -0.5, 0.5), floats(4, 5)),
        [tf.neg, tf.abs, tf.square, tf.sign, tf.relu].map((f) => f(integers(4, 5))),
        tf.clipByValue(integers(4, 5), 1, 2),
        tf.logicalNot(truths(4, 5)),
      ];
    },
    "binary operations": () => {
      const arithmetic = [tf.add, tf.sub, tf.mul, tf.maximum, tf.minimum, tf.squaredDifference];
      const comparison = [tf.equal, tf.notEqual, tf.less, tf.lessEqual, tf.greater, tf.greaterEqual];
      return [
        [...arithmetic, tf.div].map((f) => gradients((a, b) => f(a, b), floats(2, 3, 4), tf.add(tf.abs(floats(4)), 1))),
        gradients((a, b) => tf.pow(a, b), tf.add(tf.abs(floats(3, 4)), 1), floats(4)),
        gradients((a, b) => tf.atan2(a, b), floats(3, 4), floats(3, 4)),
        [...arithmetic, tf.floorDiv, tf.mod].map((f) => f(integers(2, 3, 4), tf.add(integers(4), tf.scalar(1, "int32")))),
        [tf.floorDiv, tf.mod].map((f) => f(floats(3, 4), 0.7)),
        comparison.flatMap((f) => [f(floats(2, 3), floats(3)), f(integers(2, 3), integers(3))]),
        [tf.logicalAnd, tf.logicalOr, tf.logicalXor].map((f) => f(truths(2, 3), truths(2, 3))),
        gradients((x, a) => tf.prelu(x, a), floats(3, 4), floats(4)),
        tf.addN([floats(2, 3), floats(2, 3)]),
      ];
    },
    reductions: () => [
      [tf.sum, tf.mean, tf.max, tf.min].map((f) => gradients((x) => f(x, [1, 2]), floats(2, 3, 4, 5))),
      tf.prod(floats(3, 4), 1),
      [tf.sum, tf.max, tf.min, tf.prod].map((f) => f(integers(2, 3, 4), [0, 2])),
      [tf.any, tf.all].map((f) => f(truths(2, 3, 4), 1)),
      [tf.argMax, tf.argMin].flatMap((f) => [f(floats(2, 3, 4), 1), f(integers(2, 3, 4), 2)]),
      gradients((x) => tf.moments(x, [0, 1]).variance, floats(3, 4, 5)),
      gradients((x) => tf.mul(tf.softmax(x), x), floats(3, 4)),
      gradients((x) => tf.mul(tf.logSoftmax(x), x), floats(3, 4)),
    ],
    "copies and indices": () => {
      const paddings: [number, number][] = [
        [0, 0],
        [1, 2],
        [2, 1],
      ];
      return [floats, integers, truths].flatMap((make) => {
        const x = make(2, 4, 5);
        return [
          ...[tf.concat([x, x], 1), tf.split(x, 2, 1), tf.slice(x, [0, 1, 1], [2, 2, 3]), tf.stridedSlice(x, [0, 0, 0], [2, 4, 5], [1, 2, 2])],
          ...[tf.pad(x, paddings), tf.mirrorPad(x, paddings, "reflect"), tf.transpose(x, [2, 0, 1]), tf.reverse(x, [1, 2]), tf.tile(x, [1, 2, 3])],
          ...[tf.gather(x, tf.tensor1d([3, 0, 3], "int32"), 1), tf.stack([x, x]), tf.unstack(x), tf.broadcastTo(make(4, 5), [2, 4, 5])],
          ...[tf.where(truths(2, 4, 5), x, make(2, 4, 5)), tf.zerosLike(x), tf.onesLike(x)],
          ...(["float32", "int32", "bool"] as const).map((dtype) => tf.cast(x, dtype)),
        ];
      });
    },
    "gradients of copies": () => [
      gradients((x) => tf.mul(tf.gather(x, tf.tensor1d([3, 0, 3], "int32"), 1), 2), floats(2, 4, 5)),
      gradients((x) => tf.mul(tf.pad(x, [[1, 1]]), 2), floats(5)),
      gradients((x) => tf.mul(tf.tile(x, [2, 2]), 2), floats(3, 4)),
      gradients((x, y) => tf.square(tf.concat([x, y], 1)), floats(3, 4), floats(3, 2)),
      gradients((x) => tf.square(tf.slice(x, [1, 1], [2, 2])), floats(3, 4)),
      gradients((x) => tf.square(tf.transpose(x)), floats(3, 4)),
    ],
    "one-hot": () => [tf.oneHot(integers(3, 4), 5), tf.oneHot(integers(3, 4), 5, 1, 0, "float32" as "int32")],
    resizing: () => [
      gradients((x) => tf.image.resizeBilinear(x as tf.Tensor4D, [7, 9]), floats(2, 4, 5, 3)),
      gradients((x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [8, 10]), floats(2, 4, 5, 3)),
    ],
    "matrix products": () => [
      gradients((a, b) => tf.matMul(a, b), floats(3, 4), floats(4, 5)),
      gradients((a, b) => tf.matMul(a, b, true, true), floats(2, 4, 3), floats(2, 5, 4)),
      tf.fused.matMul({ a: floats(3, 4) as tf.Tensor2D, b: floats(4, 5) as tf.Tensor2D, bias: floats(5), activation: "relu" }),
      tf.matMul(floats(2, 3, 4), floats(1, 4, 5)),
    ],
    "the stock batch normalization": () =>
      tf.batchNorm(floats(2, 3, 4, 5) as tf.Tensor4D, floats(5) as tf.Tensor1D, tf.abs(floats(5)) as tf.Tensor1D),
  };

  it.each(Object.entries(families))("%s", (_, run) => {
    tf.tidy(() => void run());
    const fellBack = engine.profile().filter(({ fallback }) => fallback > 0);
    expect(fellBack.map(({ name }) => name)).toEqual([]);
  });

  it("and still runs what it has none for on the stock kernel, and says so", () => {
    expect([...tf.tidy(() => tf.cumsum(tf.tensor1d([1, 2, 3])).dataSync())]).toEqual([1, 3, 6]);
    expect(engine.profile().find(({ name }) => name === "Cumsum")).toMatchObject({ native: 0, fallback: 1 });
  });

  it.each([
    ["resizeBilinear", [7, 5], false],
    ["resizeBilinear", [3, 9], true],
    ["resizeNearestNeighbor", [8, 15], false],
    ["resizeNearestNeighbor", [3, 4], false],
  ] as const)("%s to %s (aligned %s): the gradient of any image equals finite differences, which the stock one does not", (name, size, aligned) => {
    const x = floats(2, 4, 5, 3) as tf.Tensor4D;
    const weights = tf.randomNormal([2, ...size, 3], 0, 1, "float32", 5);
    const loss = (v: tf.Tensor) => tf.sum(tf.mul(tf.image[name](v as tf.Tensor4D, [...size] as [number, number], aligned), weights));
    const gradient = tf.grad(loss)(x).dataSync();
    // The operation is linear, so a step of 1 is exact but for rounding.
    const start = loss(x).dataSync()[0]!;
    for (let i = 0; i < x.size; i += 7) {
      const values = Float32Array.from(x.dataSync());
      values[i]! += 1;
      expect(loss(tf.tensor(values, x.shape)).dataSync()[0]! - start).toBeCloseTo(gradient[i]!, 3);
    }
  });

  it("integers that leave 32 bits wrap, and a division by zero is zero, as on cpu", () => {
    const run = () =>
      tf.tidy(() => {
        const a = tf.tensor1d([2147483647, -2147483648, 7, -7, 65536], "int32");
        const b = tf.tensor1d([1, -1, 0, 2, 65536], "int32");
        return [tf.add(a, b), tf.sub(a, b), tf.mul(a, b), tf.floorDiv(a, b), tf.mod(a, b), tf.neg(a)].map((t) => [...t.dataSync()]);
      });
    const actual = run();
    tf.setBackend("cpu");
    const expected = run();
    tf.setBackend("native");
    expect(actual).toEqual(expected);
  });

  it("casts numbers that no integer holds as JavaScript stores them", () => {
    const values = [NaN, Infinity, -Infinity, 3e9, -3e9, 1e20, 2.9, -2.9, 4294967296.5];
    const actual = [...tf.cast(tf.tensor1d(values), "int32").dataSync()];
    expect(actual).toEqual([...Int32Array.from(Float32Array.from(values))]);
    expect([...tf.cast(tf.tensor1d([0, -0, NaN, 1e-45, 5]), "bool").dataSync()]).toEqual([0, 0, 1, 1, 1]);
  });

  it("refuses an index outside its axis, and addon calls that would reach outside an array", () => {
    expect(() => tf.gather(floats(3, 2), tf.tensor1d([3], "int32"))).toThrow("GatherV2: the index value 3 is not in [0, 2]");
    const addon = native()!;
    const [x, y] = [new Float32Array(6), new Float32Array(6)];
    expect(() => addon.gatherAxis(x, y, 1, 3, 3, 2, Int32Array.of(0, 1, 3))).toThrow("an index is outside the axis");
    expect(() => addon.gatherAxis(x, y, 1, 3, 4, 2, Int32Array.of(0, 1, 2, 0))).toThrow("argument 1");
    expect(() => addon.oneHotIndices(new Int32Array(3), y, 3, 1, 0)).toThrow("argument 1");
    expect(() => addon.integerBinary(99, new Int32Array(1), new Int32Array(1), new Int32Array(1), Float64Array.of(1, 1, 1, 1))).toThrow(
      "unknown operation",
    );
    expect(() => addon.integerReduce(0, new Int32Array(6), new Int32Array(1), 2, 3, 1)).toThrow("argument 2");
    expect(() => addon.segmentSum(x, y, 3, 4, 2, Int32Array.of(0, 1, 2))).toThrow("argument 1");
    expect(() => addon.argBest(0, x, new Int32Array(2), 2, 0, 1)).toThrow("must not be empty");
    expect(() => addon.castValues(x, new Float64Array(6) as never)).toThrow("float32, int32 or uint8");
    addon.segmentSum(x, y, 3, 3, 2, Int32Array.of(-1, 7, 2));
  });
});
