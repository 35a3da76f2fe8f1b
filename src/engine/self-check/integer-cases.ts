import * as tf from "@tensorflow/tfjs-core";
import type { CheckCase } from "./check-case.js";
import { ARITHMETIC, COMPARISONS, type PairOperation } from "./pair-operations.js";

/** Operations on integers, truth values and indices, and images resized. Only floats have gradients. */
export function integerCases(): CheckCase[] {
  const labels = (...shape: number[]) => ({ shape, kind: "labels" as const });
  const forward = (op: string, detail: string, inputs: CheckCase["inputs"], run: (inputs: tf.Tensor[]) => tf.Tensor): CheckCase => ({
    op,
    detail,
    inputs,
    run: (tensors) => tf.cast(run(tensors), "float32"),
    isForwardOnly: true,
  });
  const pairs: readonly [number[], number[]][] = [
    [
      [2, 3, 5, 7],
      [2, 3, 5, 7],
    ],
    [[2, 3, 5, 7], []],
    [
      [2, 1, 5, 1],
      [3, 1, 7],
    ],
  ];
  const cases: CheckCase[] = [];
  const two: readonly PairOperation[] = [
    ...ARITHMETIC,
    ...COMPARISONS,
    ["floorDiv", (a, b) => tf.floorDiv(tf.sub(a, tf.scalar(2, "int32")), tf.sub(tf.mul(b, tf.scalar(2, "int32")), tf.scalar(3, "int32")))],
    ["mod", (a, b) => tf.mod(tf.sub(a, tf.scalar(2, "int32")), tf.sub(tf.mul(b, tf.scalar(2, "int32")), tf.scalar(3, "int32")))],
    ["logicalAnd", (a, b) => tf.logicalAnd(tf.cast(a, "bool"), tf.cast(b, "bool"))],
    ["logicalOr", (a, b) => tf.logicalOr(tf.cast(a, "bool"), tf.cast(b, "bool"))],
  ];
  for (const [a, b] of pairs) {
    for (const [op, run] of two) cases.push(forward(op, `int32 [${a}] and [${b}]`, [labels(...a), labels(...b)], ([p, q]) => run(p!, q!)));
  }
  const x = labels(2, 3, 5, 7);
  const one = (op: string, run: (x: tf.Tensor) => tf.Tensor) => cases.push(forward(op, "int32", [x], ([p]) => run(p!)));
  one("neg", tf.neg);
  one("abs", (v) => tf.abs(tf.neg(v)));
  one("square", tf.square);
  one("sign", (v) => tf.sign(tf.sub(v, tf.scalar(2, "int32"))));
  one("relu", (v) => tf.relu(tf.sub(v, tf.scalar(2, "int32"))));
  one("clipByValue", (v) => tf.clipByValue(v, 1, 3));
  one("logicalNot", (v) => tf.logicalNot(tf.cast(v, "bool")));
  one("argMin", (v) => tf.argMin(v, 2));
  one("argMax", (v) => tf.argMax(v, 1));
  one("oneHot", (v) => tf.oneHot(v, 3, 2, -1));
  for (const axis of [undefined, [0], [3], [1, 2], [0, 2]]) {
    one(`sum of ${axis ?? "all"}`, (v) => tf.sum(v, axis));
    one(`max of ${axis ?? "all"}`, (v) => tf.max(v, axis));
    one(`min of ${axis ?? "all"}`, (v) => tf.min(v, axis));
    one(`prod of ${axis ?? "all"}`, (v) => tf.prod(tf.clipByValue(v, 1, 2), axis));
    one(`any of ${axis ?? "all"}`, (v) => tf.any(tf.equal(v, tf.scalar(3, "int32")), axis));
    one(`all of ${axis ?? "all"}`, (v) => tf.all(tf.less(v, tf.scalar(4, "int32")), axis));
  }
  cases.push(
    forward("where", "int32 and bool", [x, x], ([p, q]) => {
      const mask = tf.greater(p!, tf.scalar(1, "int32"));
      const flags = tf.where(mask, tf.cast(q!, "bool"), tf.logicalNot(tf.cast(q!, "bool")));
      return tf.add(tf.where(mask, p!, q!), tf.cast(flags, "int32"));
    }),
  );
  cases.push(forward("argMin", "float32", [{ shape: [2, 3, 5, 7] }], ([v]) => tf.argMin(v!, 2)));
  cases.push(
    forward("isFinite", "and kin", [{ shape: [4, 5] }], ([v]) => {
      const odd = tf.div(v!, tf.relu(v!));
      return tf.stack([tf.isFinite(odd), tf.isInf(odd), tf.isNaN(odd)].map((t) => tf.cast(t, "int32")));
    }),
  );
  const floats: readonly [string, (x: tf.Tensor) => tf.Tensor][] = [
    ["sin", tf.sin],
    ["cos", tf.cos],
    ["atan", tf.atan],
    ["sinh", tf.sinh],
    ["asinh", tf.asinh],
    ["expm1", tf.expm1],
    ["log1p", (v) => tf.log1p(tf.abs(v))],
    ["erf", tf.erf],
  ];
  for (const [op, run] of floats) cases.push({ op, detail: "[3, 4, 5]", inputs: [{ shape: [3, 4, 5] }], run: ([v]) => run(v!) });
  cases.push(forward("round", "halves", [x], ([v]) => tf.round(tf.sub(tf.div(tf.cast(v!, "float32"), 2), 1))));
  const pad: [number, number][] = [
    [0, 0],
    [2, 1],
    [1, 3],
    [0, 2],
  ];
  for (const mode of ["reflect", "symmetric"] as const) {
    cases.push({ op: "mirrorPad", detail: mode, inputs: [{ shape: [2, 3, 5, 7] }], run: ([v]) => tf.mirrorPad(v!, pad, mode), isForwardOnly: true });
  }
  cases.push({
    op: "gather",
    detail: "repeated indices, first axis",
    inputs: [{ shape: [5, 3, 4] }, labels(2, 6)],
    run: ([v, at]) => tf.gather(v!, at!, 0),
  });
  cases.push(forward("gather", "of integers with batches", [labels(2, 5, 3), labels(2, 4)], ([v, at]) => tf.gather(v!, at!, 1, 1)));
  // Square images, and one for the gradient of nearest: the stock gradients exchange the sides of others and mix up batches. test/engine checks the rest.
  const image = [{ shape: [2, 5, 5, 3] }];
  for (const aligned of [false, true]) {
    const detail = `aligned ${aligned}`;
    cases.push({ op: "resizeBilinear", detail, inputs: image, run: ([v]) => tf.image.resizeBilinear(v as tf.Tensor4D, [9, 9], aligned) });
    cases.push({
      op: "resizeNearestNeighbor",
      detail,
      inputs: image,
      run: ([v]) => tf.image.resizeNearestNeighbor(v as tf.Tensor4D, [3, 8], aligned),
      isForwardOnly: true,
    });
    cases.push({
      op: "resizeNearestNeighbor",
      detail: `gradient, ${detail}`,
      inputs: [{ shape: [1, 5, 5, 3] }],
      run: ([v]) => tf.image.resizeNearestNeighbor(v as tf.Tensor4D, [10, 10], aligned),
    });
  }
  cases.push({
    op: "resizeBilinear",
    detail: "half-pixel centers, to [4, 12]",
    inputs: image,
    run: ([v]) => tf.image.resizeBilinear(v as tf.Tensor4D, [4, 12], false, true),
    isForwardOnly: true,
  });
  cases.push({
    op: "fused.matMul",
    detail: "bias and relu",
    inputs: [{ shape: [5, 7] }, { shape: [7, 4] }, { shape: [4] }],
    run: ([a, b, bias]) => tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias: bias!, activation: "relu" }),
  });
  cases.push({
    op: "matMul",
    detail: "one matrix for a stack",
    inputs: [{ shape: [3, 5, 7] }, { shape: [1, 7, 4] }],
    run: ([a, b]) => tf.matMul(a!, b!),
    isForwardOnly: true,
  });
  cases.push({
    op: "batchNorm",
    detail: "given statistics",
    inputs: [{ shape: [2, 3, 4, 5] }, { shape: [5] }, { shape: [5], kind: "positive" }, { shape: [5] }],
    run: ([v, mean, variance, offset]) => tf.batchNorm(v as tf.Tensor4D, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D),
    isForwardOnly: true,
  });
  cases.push({
    op: "stridedSlice",
    detail: "masks and steps back",
    inputs: [{ shape: [2, 5, 6, 7] }],
    run: ([v]) => tf.stridedSlice(v!, [0, 4, 1, 6], [2, 0, 6, 0], [1, -2, 2, -1], 1, 4),
    isForwardOnly: true,
  });
  return cases;
}
