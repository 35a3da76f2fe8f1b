import * as tf from "@tensorflow/tfjs-core";
import type { CheckCase, CheckInput, InputKind } from "./check-case.js";
import { fusedCases } from "./fused-cases.js";
import { integerCases } from "./integer-cases.js";
import { ARITHMETIC, COMPARISONS, type PairOperation } from "./pair-operations.js";

type Triple = readonly [number, number, number];
type Pad = "same" | "valid";

interface ConvShape {
  readonly size: Triple;
  readonly kernel: Triple;
  readonly channels: readonly [number, number];
  readonly batch?: number;
  readonly stride?: Triple;
  readonly dilation?: Triple;
  readonly pad?: Pad;
}

// Odd sizes, strides, kernels 1/2/3/5, anisotropic kernels, dilation, channels from 1 to 70 and batches 1 to 3.
const CONVOLUTIONS: readonly ConvShape[] = [
  { size: [5, 6, 7], kernel: [3, 3, 3], channels: [1, 16] },
  { size: [4, 4, 4], kernel: [3, 3, 3], channels: [16, 1], batch: 2 },
  { size: [6, 8, 10], kernel: [3, 3, 3], channels: [3, 5], batch: 3 },
  { size: [3, 7, 9], kernel: [3, 3, 3], channels: [16, 16] },
  { size: [4, 6, 8], kernel: [3, 3, 3], channels: [32, 16], batch: 2 },
  { size: [2, 5, 17], kernel: [3, 3, 3], channels: [7, 33] },
  { size: [3, 3, 3], kernel: [3, 3, 3], channels: [70, 19] },
  { size: [1, 1, 1], kernel: [3, 3, 3], channels: [4, 4] },
  { size: [5, 5, 5], kernel: [3, 3, 3], channels: [17, 8], pad: "valid" },
  { size: [6, 7, 8], kernel: [1, 1, 1], channels: [16, 3], batch: 2 },
  { size: [5, 3, 4], kernel: [1, 1, 1], channels: [5, 70] },
  { size: [4, 6, 8], kernel: [2, 2, 2], channels: [8, 16], stride: [2, 2, 2], batch: 2 },
  { size: [5, 7, 9], kernel: [2, 2, 2], channels: [3, 4], stride: [2, 2, 2] },
  { size: [5, 7, 8], kernel: [3, 3, 3], channels: [6, 20], stride: [2, 2, 2] },
  // Odd: where strides skip the last voxel, TensorFlow begins at the first voxel and TensorFlow.js inside the volume.
  { size: [7, 3, 5], kernel: [1, 1, 1], channels: [4, 6], stride: [2, 2, 2] },
  { size: [6, 6, 6], kernel: [5, 5, 5], channels: [2, 3] },
  { size: [4, 8, 8], kernel: [1, 3, 3], channels: [9, 12], stride: [1, 2, 2] },
  { size: [6, 5, 4], kernel: [3, 1, 1], channels: [4, 18] },
  { size: [5, 6, 9], kernel: [1, 5, 3], channels: [3, 2], stride: [1, 3, 2], pad: "valid" },
  { size: [7, 8, 9], kernel: [3, 3, 3], channels: [4, 6], dilation: [2, 2, 2] },
  { size: [5, 9, 8], kernel: [3, 3, 3], channels: [17, 3], dilation: [1, 3, 2], pad: "valid" },
];

function convolutionCases(): CheckCase[] {
  return CONVOLUTIONS.map(({ size, kernel, channels, batch = 1, stride = [1, 1, 1], dilation = [1, 1, 1], pad = "same" }) => ({
    op: "conv3d",
    detail: `${size} kernel ${kernel} channels ${channels} batch ${batch} stride ${stride} dilation ${dilation} ${pad}`,
    inputs: [{ shape: [batch, ...size, channels[0]] }, { shape: [...kernel, ...channels] }],
    run: ([x, w]) =>
      tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, [...stride] as [number, number, number], pad, "NDHWC", [...dilation] as [number, number, number]),
  }));
}

function transposedCases(): CheckCase[] {
  const shapes: readonly [Triple, Triple, Triple, number, number][] = [
    [[3, 4, 5], [2, 2, 2], [2, 2, 2], 8, 4],
    [[2, 3, 3], [2, 2, 2], [2, 2, 2], 33, 17],
    [[3, 3, 4], [3, 3, 3], [2, 2, 2], 4, 5],
    [[3, 4, 4], [1, 2, 2], [1, 2, 2], 6, 3],
    [[4, 3, 5], [3, 3, 3], [1, 1, 1], 5, 16],
  ];
  return shapes.map(([size, kernel, stride, from, to]) => ({
    op: "conv3dTranspose",
    detail: `${size} kernel ${kernel} stride ${stride} channels ${from}, ${to}`,
    inputs: [{ shape: [2, ...size, from] }, { shape: [...kernel, to, from] }],
    run: ([x, w]) => {
      const outShape = [2, ...size.map((extent, d) => extent * stride[d]!), to] as [number, number, number, number, number];
      return tf.conv3dTranspose(x as tf.Tensor5D, w as tf.Tensor5D, outShape, [...stride] as [number, number, number], "same");
    },
  }));
}

function planarCases(): CheckCase[] {
  const plain: readonly [number[], number[], number, Pad][] = [
    [[2, 7, 9, 3], [3, 3, 3, 16], 1, "same"],
    [[1, 8, 8, 16], [3, 3, 16, 5], 2, "same"],
    [[3, 5, 6, 4], [1, 1, 4, 8], 1, "valid"],
    [[1, 9, 7, 2], [5, 5, 2, 3], 2, "valid"],
  ];
  const cases: CheckCase[] = plain.map(([x, w, stride, pad]) => ({
    op: "conv2d",
    detail: `${x} filter ${w} stride ${stride} ${pad}`,
    inputs: [{ shape: x }, { shape: w }],
    run: ([a, b]) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad),
  }));
  cases.push({
    op: "conv2dTranspose",
    detail: "stride 2",
    inputs: [{ shape: [2, 4, 5, 6] }, { shape: [2, 2, 3, 6] }],
    run: ([a, b]) => tf.conv2dTranspose(a as tf.Tensor4D, b as tf.Tensor4D, [2, 8, 10, 3], 2, "same"),
  });
  cases.push({
    op: "matMul",
    detail: "all transpositions",
    inputs: [{ shape: [3, 5, 7] }, { shape: [3, 7, 4] }],
    run: ([a, b]) => tf.add(tf.matMul(a!, b!), tf.matMul(tf.transpose(a!, [0, 2, 1]), tf.transpose(b!, [0, 2, 1]), true, true)),
  });
  return cases;
}

function poolingCases(): CheckCase[] {
  const shapes: readonly [number[], number | Triple, number | Triple, Pad][] = [
    [[2, 4, 6, 8, 16], 2, 2, "same"],
    [[1, 5, 7, 9, 3], 2, 2, "same"],
    [[1, 5, 7, 9, 33], 3, 2, "valid"],
    [[3, 6, 5, 4, 5], [1, 2, 2], [1, 2, 2], "valid"],
    [[1, 6, 6, 6, 4], 3, 1, "same"],
  ];
  type Size = [number, number, number] | number;
  const cases: CheckCase[] = [];
  for (const [shape, window, stride, pad] of shapes) {
    const detail = `${shape} window ${window} stride ${stride} ${pad}`;
    cases.push({ op: "maxPool3d", detail, inputs: [{ shape }], run: ([x]) => tf.maxPool3d(x as tf.Tensor5D, window as Size, stride as Size, pad) });
    cases.push({ op: "avgPool3d", detail, inputs: [{ shape }], run: ([x]) => tf.avgPool3d(x as tf.Tensor5D, window as Size, stride as Size, pad) });
  }
  // Ties: which of equal values takes the gradient.
  cases.push({
    op: "maxPool3d",
    detail: "ties",
    inputs: [{ shape: [1, 4, 4, 4, 17] }],
    run: ([x]) => tf.maxPool3d(tf.relu(x as tf.Tensor5D), 2, 2, "same"),
  });
  const planar = [{ shape: [2, 7, 8, 5] }];
  cases.push({ op: "maxPool", detail: "2D", inputs: planar, run: ([x]) => tf.maxPool(x as tf.Tensor4D, 2, 2, "same") });
  cases.push({ op: "avgPool", detail: "2D", inputs: planar, run: ([x]) => tf.avgPool(x as tf.Tensor4D, 3, 2, "valid") });
  return cases;
}

function unaryCases(): CheckCase[] {
  const one = (op: string, run: (x: tf.Tensor) => tf.Tensor, kind: InputKind = "normal", isForwardOnly = false): CheckCase => ({
    op,
    detail: "[2, 3, 5, 7, 3]",
    inputs: [{ shape: [2, 3, 5, 7, 3], kind }],
    run: ([x]) => run(x!),
    isForwardOnly,
  });
  return [
    one("neg", tf.neg),
    one("abs", tf.abs),
    one("square", tf.square),
    one("sqrt", tf.sqrt, "positive"),
    one("rsqrt", tf.rsqrt, "positive"),
    one("reciprocal", tf.reciprocal, "positive"),
    one("exp", tf.exp),
    one("exp", (x) => tf.exp(tf.mul(x, 30))),
    one("log", tf.log, "positive"),
    one("log", (x) => tf.log(tf.exp(tf.mul(x, 20)))),
    one("relu", tf.relu),
    one("relu6", (x) => tf.relu6(tf.mul(x, 5))),
    one("leakyRelu", (x) => tf.leakyRelu(x, 0.01)),
    one("elu", tf.elu),
    one("sigmoid", tf.sigmoid),
    one("sigmoid", (x) => tf.sigmoid(tf.mul(x, 40))),
    one("tanh", tf.tanh),
    one("tanh", (x) => tf.tanh(tf.mul(x, 0.1))),
    one("softplus", (x) => tf.softplus(tf.mul(x, 10))),
    one("clipByValue", (x) => tf.clipByValue(x, -0.5, 0.7)),
    one("sign", tf.sign, "normal", true),
    one("floor", tf.floor, "normal", true),
    one("ceil", tf.ceil, "normal", true),
    one("step", (x) => tf.step(x, 0.1), "normal", true),
    one("cast", (x) => tf.cast(tf.cast(tf.mul(x, 3), "int32"), "float32"), "normal", true),
    one("cast", (x) => tf.cast(tf.cast(x, "bool"), "int32"), "normal", true),
    one("selu", tf.selu),
    one("pow", (x) => tf.pow(x, 2.5), "positive"),
    one("pow", (x) => tf.pow(x, 2)),
    one("pow", (x) => tf.pow(x, tf.mul(x, 2)), "positive"),
    one("onesLike", (x) => tf.add(x, tf.onesLike(x))),
  ];
}

function binaryCases(): CheckCase[] {
  const shapes: readonly [number[], number[]][] = [
    [
      [2, 3, 4, 5, 16],
      [2, 3, 4, 5, 16],
    ],
    [[2, 3, 4, 5, 16], [16]],
    [[2, 3, 4, 5, 3], [3]],
    [[2, 3, 4, 5, 6], []],
    [
      [2, 3, 1, 5, 1],
      [1, 3, 4, 1, 7],
    ],
    [
      [2, 1, 1, 1, 17],
      [2, 3, 4, 5, 17],
    ],
    [
      [2, 3, 4, 5, 4],
      [2, 3, 4, 5, 1],
    ],
  ];
  const cases: CheckCase[] = [];
  for (const [a, b] of shapes) {
    const detail = `[${a}] and [${b}]`;
    for (const [op, run] of [...ARITHMETIC, ["div", tf.div] as PairOperation]) {
      const inputs: CheckInput[] = [{ shape: a }, { shape: b, kind: op === "div" ? "positive" : "normal" }];
      cases.push({ op, detail, inputs, run: ([p, q]) => run(p!, q!) });
    }
    for (const [op, run] of COMPARISONS) {
      cases.push({
        op,
        detail,
        inputs: [{ shape: a }, { shape: b }],
        run: ([p, q]) => tf.cast(run(tf.round(p!), tf.round(q!)), "float32"),
        isForwardOnly: true,
      });
    }
  }
  cases.push({
    op: "where",
    detail: "rank 5",
    inputs: [{ shape: [2, 3, 4, 5, 3] }, { shape: [2, 3, 4, 5, 3] }, { shape: [2, 3, 4, 5, 3], kind: "labels" }],
    run: ([p, q, mask]) => tf.where(tf.greater(mask!, tf.scalar(2, "int32")), p!, q!),
  });
  cases.push({
    op: "prelu",
    detail: "alpha per channel",
    inputs: [{ shape: [2, 3, 4, 5, 6] }, { shape: [6] }],
    run: ([x, alpha]) => tf.prelu(x!, alpha!),
  });
  for (const terms of [3, 20]) {
    cases.push({
      op: "addN",
      detail: `${terms} terms`,
      inputs: Array.from({ length: terms }, () => ({ shape: [3, 5] })),
      run: (all) => tf.addN(all),
    });
  }
  return cases;
}

function reductionCases(): CheckCase[] {
  const shape = [2, 3, 4, 5, 17];
  const axes: readonly (number[] | undefined)[] = [undefined, [0], [4], [1, 2, 3], [0, 1, 2, 3], [0, 2], [1, 4], [0, 3, 4]];
  const cases: CheckCase[] = [];
  for (const axis of axes) {
    const detail = `axes ${axis ?? "all"}`;
    const inputs = [{ shape }];
    cases.push({ op: "sum", detail, inputs, run: ([x]) => tf.sum(x!, axis) });
    cases.push({ op: "mean", detail, inputs, run: ([x]) => tf.mean(x!, axis, true) });
    cases.push({ op: "max", detail, inputs, run: ([x]) => tf.max(x!, axis) });
    cases.push({ op: "min", detail, inputs, run: ([x]) => tf.min(x!, axis, true) });
    cases.push({ op: "prod", detail, inputs, run: ([x]) => tf.prod(tf.mul(x!, 0.5), axis), isForwardOnly: true });
    cases.push({
      op: "moments",
      detail,
      inputs,
      run: ([x]) => {
        const { mean, variance } = tf.moments(x!, axis, true);
        return tf.mul(tf.sub(x!, mean), tf.rsqrt(tf.add(variance, 1e-3)));
      },
    });
  }
  for (const axis of [0, 2, 4]) {
    cases.push({
      op: "argMax",
      detail: `axis ${axis}`,
      inputs: [{ shape }],
      run: ([x]) => tf.cast(tf.argMax(x!, axis), "float32"),
      isForwardOnly: true,
    });
  }
  for (const classes of [1, 3, 16, 40]) {
    const inputs = [{ shape: [2, 3, 4, 5, classes] }];
    cases.push({ op: "softmax", detail: `${classes} classes`, inputs, run: ([x]) => tf.softmax(tf.mul(x!, 5)) });
    cases.push({ op: "logSoftmax", detail: `${classes} classes`, inputs, run: ([x]) => tf.logSoftmax(tf.mul(x!, 5)) });
  }
  return cases;
}

function layoutCases(): CheckCase[] {
  const shape = [2, 3, 4, 5, 6];
  const one = (op: string, detail: string, run: (x: tf.Tensor) => tf.Tensor, isForwardOnly = false): CheckCase => ({
    op,
    detail,
    inputs: [{ shape }],
    run: ([x]) => run(x!),
    isForwardOnly,
  });
  return [
    one("slice", "inner", (x) => tf.slice(x, [0, 1, 1, 2, 1], [2, 2, 3, 2, 4])),
    one("slice", "first axis", (x) => tf.slice(x, [1], [1])),
    one("pad", "all axes", (x) =>
      tf.pad(
        x,
        [
          [0, 1],
          [1, 2],
          [2, 0],
          [0, 0],
          [1, 1],
        ],
        0.5,
      ),
    ),
    one("transpose", "rank 5", (x) => tf.transpose(x, [0, 4, 2, 1, 3])),
    one("reverse", "three axes", (x) => tf.reverse(x, [1, 3, 4])),
    one("tile", "rank 5", (x) => tf.tile(x, [1, 2, 1, 3, 2])),
    one("broadcastTo", "channel", (x) => tf.broadcastTo(tf.slice(x, [0, 0, 0, 0, 0], [2, 3, 4, 5, 1]), [2, 3, 4, 5, 7])),
    one("split", "channels", (x) => {
      const [a, b] = tf.split(x, [2, 4], 4);
      return tf.concat([tf.mul(b!, 2), a!], 4);
    }),
    one("stack", "and unstack", (x) => tf.mul(tf.stack(tf.unstack(x, 1), 4), 2)),
    one("gather", "axis 3", (x) => tf.gather(x, tf.tensor1d([4, 0, 2], "int32"), 3)),
    one("stridedSlice", "every second", (x) => tf.stridedSlice(x, [0, 0, 0, 0, 0], [2, 3, 4, 5, 6], [1, 2, 2, 1, 3]), true),
    {
      op: "concat",
      detail: "channels and depth",
      inputs: [{ shape: [2, 3, 4, 5, 3] }, { shape: [2, 3, 4, 5, 16] }],
      run: ([a, b]) => tf.concat([tf.concat([a!, b!], 4), tf.concat([b!, a!], 4)], 1),
    },
    {
      op: "oneHot",
      detail: "labels",
      inputs: [{ shape: [2, 3, 4], kind: "labels" }],
      run: ([x]) => tf.cast(tf.oneHot(x as tf.Tensor, 4), "float32"),
      isForwardOnly: true,
    },
  ];
}

/** Every operation that models, losses and optimizers of this library run, on small shapes. */
export function checkCases(): CheckCase[] {
  return [
    ...convolutionCases(),
    ...transposedCases(),
    ...planarCases(),
    ...poolingCases(),
    ...unaryCases(),
    ...binaryCases(),
    ...reductionCases(),
    ...layoutCases(),
    ...fusedCases(),
  ];
}

/** The same, and what else the native engine has kernels for. Other engines need not agree with `cpu` on that to train. */
export function nativeCases(): CheckCase[] {
  return [...checkCases(), ...integerCases()];
}
