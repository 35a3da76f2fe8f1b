import * as tf from "@tensorflow/tfjs-core";
import { ACTIVATION_NUMBERS, type FusedActivation } from "../ops/fused-activation.js";
import { dropoutLimit } from "../ops/seeded-dropout.js";
import { type AxisMatrix, axisMatrix } from "./axis-matrix.js";
import { geometry3d } from "./convolution.js";
import type { KernelArguments, KernelTable } from "./kernel-table.js";

type Infos = Record<string, tf.TensorInfo>;
type Five = [number, number, number, number, number];

function activationOf(attrs: KernelArguments["attrs"]): number {
  return ACTIVATION_NUMBERS[attrs.activation as FusedActivation];
}

function fusedConv3d({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo {
  const { x, filter, bias } = inputs as Infos;
  const info = tf.backend_util.computeConv3DInfo(x!.shape as Five, filter!.shape as Five, attrs.strides, attrs.dilations, attrs.pad);
  const y = backend.outputFloats(info.outShape);
  const b = bias ? backend.floats(bias) : null;
  backend.addon.convForward(backend.floats(x!), backend.floats(filter!), b, y.values, geometry3d(info), activationOf(attrs), attrs.alpha);
  return y.info;
}

function fusedConv3dTranspose({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo {
  const { x, filter, bias } = inputs as Infos;
  const info = tf.backend_util.computeConv3DInfo(attrs.inputShape, filter!.shape as Five, attrs.strides, 1, attrs.pad);
  const y = backend.outputFloats(attrs.inputShape);
  const b = bias ? backend.floats(bias) : null;
  backend.addon.convInputGradient(backend.floats(x!), backend.floats(filter!), b, y.values, geometry3d(info), activationOf(attrs), attrs.alpha);
  return y.info;
}

/** `[g, db]` of y = activation(z + b): g = dy * activation'(z), db its sum per channel. Without activation g is dy itself and only db is returned. */
function activationBiasGrad({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo[] {
  const { dy, y } = inputs as Infos;
  const channels = dy!.shape.at(-1)!;
  const rows = tf.util.sizeFromShape(dy!.shape) / channels;
  const db = backend.outputFloats([channels]);
  if (!y) {
    backend.addon.biasGrad(backend.floats(dy!), null, null, db.values, rows, channels, 0, 0);
    return [db.info];
  }
  const g = backend.outputFloats(dy!.shape);
  backend.addon.biasGrad(backend.floats(dy!), backend.floats(y), g.values, db.values, rows, channels, activationOf(attrs), attrs.alpha);
  return [g.info, db.info];
}

function normSizes(x: tf.TensorInfo, segments: number): [segments: number, rows: number, channels: number] {
  const channels = x.shape.at(-1)!;
  return [segments, tf.util.sizeFromShape(x.shape) / Math.max(1, segments * channels), channels];
}

function fusedNormalization({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo[] {
  const { x, gamma, beta, mean: givenMean, variance: givenVariance } = inputs as Infos;
  const { segments, sets, epsilon, alpha } = attrs;
  const y = backend.outputFloats(x!.shape);
  const [g, b] = [backend.floats(gamma!), backend.floats(beta!)];
  const sizes = normSizes(x!, segments);
  if (givenMean && givenVariance) {
    const [m, v] = [backend.floats(givenMean), backend.floats(givenVariance)];
    backend.addon.normForward(backend.floats(x!), g, b, y.values, m, v, ...sizes, sets, epsilon, activationOf(attrs), alpha, 1);
    return [y.info];
  }
  const mean = backend.outputFloats([segments * sets]);
  const variance = backend.outputFloats([segments * sets]);
  backend.addon.normForward(backend.floats(x!), g, b, y.values, mean.values, variance.values, ...sizes, sets, epsilon, activationOf(attrs), alpha, 0);
  return [y.info, mean.info, variance.info];
}

/** Batch normalization with given statistics, as the stock layers run it for prediction. */
function batchNorm({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const { x, mean, variance, offset, scale } = inputs as Infos;
  const given = [mean, variance, offset, scale].filter((info) => info !== undefined && info !== null) as tf.TensorInfo[];
  const channels = x!.shape.at(-1)!;
  if (
    x!.dtype !== "float32" ||
    channels === 0 ||
    given.some((info) => info.dtype !== "float32" || info.shape.length !== 1 || info.shape[0] !== channels)
  ) {
    return undefined;
  }
  const y = backend.outputFloats(x!.shape);
  const gamma = scale ? backend.floats(scale) : new Float32Array(channels).fill(1);
  const beta = offset ? backend.floats(offset) : new Float32Array(channels);
  const [m, v] = [backend.floats(mean!), backend.floats(variance!)];
  backend.addon.normForward(backend.floats(x!), gamma, beta, y.values, m, v, ...normSizes(x!, 1), channels, attrs.varianceEpsilon ?? 0.001, 0, 0, 1);
  return y.info;
}

function fusedNormalizationGrad({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo[] {
  const { x, dy, gamma, beta, mean, variance } = inputs as Infos;
  const { segments, sets, epsilon, alpha, given } = attrs;
  const dx = backend.outputFloats(x!.shape);
  const dgamma = backend.outputFloats(gamma!.shape);
  const dbeta = backend.outputFloats(gamma!.shape);
  backend.addon.normGrad(
    ...([backend.floats(x!), backend.floats(dy!), backend.floats(gamma!), backend.floats(beta!)] as const),
    ...([backend.floats(mean!), backend.floats(variance!), dx.values, dgamma.values, dbeta.values] as const),
    ...normSizes(x!, segments),
    ...([sets, epsilon, activationOf(attrs), alpha, given ? 1 : 0] as const),
  );
  return [dx.info, dgamma.info, dbeta.info];
}

/** Three passes, the one that shrinks most or grows least first, so that the others move little memory. */
function applyAxes({ inputs, attrs, backend }: KernelArguments, matrixOf: (size: number, factor: number) => AxisMatrix): tf.TensorInfo {
  const x = inputs.x ?? inputs.dy;
  let values = backend.floats(x!);
  const shape = [...x!.shape];
  const factors = attrs.size as number[];
  const axes = [0, 1, 2].filter((i) => factors[i] !== 1);
  if (axes.length === 0) {
    const y = backend.outputFloats(shape);
    y.values.set(values);
    return y.info;
  }
  let held: tf.TensorInfo | undefined;
  for (const i of axes) {
    const matrix = matrixOf(shape[i + 1]!, factors[i]!);
    const outer = tf.util.sizeFromShape(shape.slice(0, i + 1));
    const inner = tf.util.sizeFromShape(shape.slice(i + 2));
    const inSize = shape[i + 1]!;
    shape[i + 1] = matrix.starts.length - 1;
    const y = backend.outputFloats(shape);
    backend.addon.applyAxis(values, y.values, outer, inSize, shape[i + 1]!, inner, matrix.starts, matrix.indices, matrix.weights);
    if (held) backend.disposeIntermediateTensorInfo(held);
    held = y.info;
    values = y.values;
  }
  return held!;
}

function seededDropout({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo {
  const x = (inputs.x ?? inputs.dy) as tf.TensorInfo;
  const y = backend.outputFloats(x.shape);
  const { rate, key } = attrs;
  backend.addon.dropout(backend.floats(x), y.values, key[0], key[1], dropoutLimit(rate), 1 / (1 - rate));
  return y.info;
}

function softmaxStatistics({ inputs, backend }: KernelArguments): tf.TensorInfo {
  const { logits, labels } = inputs as Infos;
  const [batch, channels] = [logits!.shape[0]!, logits!.shape.at(-1)!];
  const sums = backend.outputFloats([4, batch, channels]);
  const rows = tf.util.sizeFromShape(labels!.shape) / Math.max(1, batch);
  backend.addon.softmaxStatistics(backend.floats(logits!), backend.values(labels!) as Int32Array, sums.values, batch, rows, channels);
  return sums.info;
}

function softmaxStatisticsGrad({ inputs, backend }: KernelArguments): tf.TensorInfo {
  const { logits, labels, dy } = inputs as Infos;
  const [batch, channels] = [logits!.shape[0]!, logits!.shape.at(-1)!];
  const dx = backend.outputFloats(logits!.shape);
  const rows = tf.util.sizeFromShape(labels!.shape) / Math.max(1, batch);
  const all = backend.floats(dy!);
  const kind = (i: number) => all.subarray(i * batch * channels, (i + 1) * batch * channels);
  const [x, t] = [backend.floats(logits!), backend.values(labels!) as Int32Array];
  // Kind 2, the number of voxels per class, does not depend on the logits.
  backend.addon.softmaxStatisticsGrad(x, t, dx.values, kind(0), kind(1), kind(3), batch, rows, channels);
  return dx.info;
}

/** Operations that stock TensorFlow.js composes of several; src/engine/ops calls them where they are registered. */
export const fusedKernels: KernelTable = {
  FusedBatchNorm: batchNorm,
  FusedConv3D: fusedConv3d,
  FusedConv3DActivation: fusedConv3d,
  FusedConv3DTranspose: fusedConv3dTranspose,
  FusedConv3DTransposeActivation: fusedConv3dTranspose,
  ActivationBiasGrad: activationBiasGrad,
  FusedNormalization: fusedNormalization,
  FusedNormalizationGiven: fusedNormalization,
  FusedNormalizationGrad: fusedNormalizationGrad,
  UpSampling3D: (args) => applyAxes(args, (size, factor) => axisMatrix(size, factor, args.attrs.interpolation, false)),
  UpSampling3DGrad: (args) => applyAxes(args, (size, factor) => axisMatrix(size / factor, factor, args.attrs.interpolation, true)),
  SeededDropout: seededDropout,
  SeededDropoutGrad: seededDropout,
  SoftmaxStatistics: softmaxStatistics,
  SoftmaxStatisticsGrad: softmaxStatisticsGrad,
};
