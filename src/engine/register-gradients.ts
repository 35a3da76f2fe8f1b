import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
// Its bundle registers the stock gradients; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import { fusedGradients } from "./fused-gradients.js";
import { dilateFilter } from "./ops/dilate-filter.js";
import { hasKernel, runKernel as run } from "./ops/run-kernel.js";

type Attributes = Record<string, unknown>;
type Triple = [number, number, number];

let isRegistered = false;

/**
 * Registers the gradients that TensorFlow.js 4.22 lacks or gets wrong in 3D, for every engine: conv3dTranspose (Conv3DBackpropInputV2), dilated conv3d, tile of
 * rank 5, and cheaper ones where the engine has a kernel for the gradient of an activation.
 */
export function registerGradients(): void {
  if (isRegistered) return;
  isRegistered = true;
  // The stock backend prints an advertisement at its first write.
  (tf.findBackend("cpu") as unknown as { firstUse: boolean }).firstUse = false;
  for (const config of [
    ...fusedGradients,
    conv3d,
    conv3dBackpropInput,
    tile,
    relu,
    leakyRelu,
    elu,
    sigmoid,
    tanh,
    softmax,
    logSoftmax,
    maximum,
    minimum,
    squaredDifference,
  ]) {
    if (tf.getGradient(config.kernelName)) tf.unregisterGradient(config.kernelName);
    tf.registerGradient(config);
  }
}

function triple(value: unknown): Triple {
  return (typeof value === "number" ? [value, value, value] : value) as Triple;
}

/** Whether this engine's convolution gradients take dilations; the stock kernels ignore them. */
function takesDilations(): boolean {
  return tf.getBackend() === "native";
}

function inputGradient(dy: tf.Tensor, filter: tf.Tensor, inputShape: number[], { strides, pad, dilations }: Attributes): tf.Tensor {
  const rates = triple(dilations ?? 1);
  if (takesDilations()) return run("Conv3DBackpropInputV2", { dy, filter }, { strides, pad, dilations: rates, inputShape });
  return run("Conv3DBackpropInputV2", { dy, filter: dilateFilter(filter as tf.Tensor5D, rates) }, { strides, pad, inputShape });
}

function filterGradient(x: tf.Tensor, dy: tf.Tensor, filterShape: number[], { strides, pad, dilations }: Attributes): tf.Tensor {
  const rates = triple(dilations ?? 1);
  if (takesDilations() || rates.every((rate) => rate === 1)) {
    return run("Conv3DBackpropFilterV2", { x, dy }, { strides, pad, dilations: rates, filterShape });
  }
  const size = filterShape.map((extent, d) => (d < 3 ? (extent - 1) * rates[d as 0]! + 1 : extent));
  const full = run("Conv3DBackpropFilterV2", { x, dy }, { strides, pad, filterShape: size });
  return tf.stridedSlice(full, [0, 0, 0, 0, 0], size, [...rates, 1, 1]);
}

const conv3d: tf.GradConfig = {
  kernelName: "Conv3D",
  inputsToSave: ["x", "filter"],
  gradFunc: (dy, [x, filter], attrs) => ({
    x: () => inputGradient(dy as tf.Tensor, filter!, x!.shape, attrs),
    filter: () => filterGradient(x!, dy as tf.Tensor, filter!.shape, attrs),
  }),
};

const conv3dBackpropInput: tf.GradConfig = {
  kernelName: "Conv3DBackpropInputV2",
  inputsToSave: ["dy", "filter"],
  gradFunc: (g, [dy, filter], attrs) => {
    const { strides, pad, dilations } = attrs as Attributes;
    return {
      dy: () => tf.conv3d(g as tf.Tensor5D, filter as tf.Tensor5D, triple(strides), pad as "same", "NDHWC", triple(dilations ?? 1)),
      filter: () => filterGradient(g as tf.Tensor, dy!, filter!.shape, attrs),
    };
  },
};

const tile: tf.GradConfig = {
  kernelName: "Tile",
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attrs) => ({
    x: () => {
      const reps = (attrs as Attributes).reps as number[];
      const shape = [...(dy as tf.Tensor).shape];
      let sum = dy as tf.Tensor;
      reps.forEach((times, d) => {
        if (times === 1) return;
        const size = x!.shape[d]!;
        const outer = tf.util.sizeFromShape(shape.slice(0, d));
        const inner = tf.util.sizeFromShape(shape.slice(d + 1));
        sum = tf.sum(tf.reshape(sum, [outer, times, size * inner]), 1);
        shape[d] = size;
      });
      return tf.reshape(sum, x!.shape);
    },
  }),
};

/** dy times the derivative: by the engine's kernel where it has one, else composed. */
function activationGradient(
  kernelName: string,
  gradKernel: string,
  saves: "x" | "y",
  composed: (dy: tf.Tensor, saved: tf.Tensor, attrs: Attributes) => tf.Tensor,
) {
  return {
    kernelName,
    ...(saves === "x" ? { inputsToSave: ["x"] } : { outputsToSave: [true] }),
    gradFunc: (dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attrs: tf.NamedAttrMap) => ({
      x: () => {
        const inputs = { dy: dy as tf.Tensor, y: saved[0]! };
        return hasKernel(gradKernel) ? run(gradKernel, inputs, attrs as Attributes) : composed(inputs.dy, inputs.y, attrs as Attributes);
      },
    }),
  } satisfies tf.GradConfig;
}

// The output of ReLU has the sign of its input, and is what the next convolution keeps anyway: saving it costs no memory.
const relu = activationGradient("Relu", "ReluGrad", "y", (dy, y) => tf.mul(dy, tf.step(y)));
const leakyRelu = activationGradient("LeakyRelu", "LeakyReluGrad", "x", (dy, x, { alpha }) => {
  const positive = tf.step(x);
  return tf.mul(dy, tf.add(positive, tf.mul(tf.sub(1, positive), alpha as number)));
});
const elu = activationGradient("Elu", "EluGrad", "y", (dy, y) => run("EluGrad", { dy, y }));
const sigmoid = activationGradient("Sigmoid", "SigmoidGrad", "y", (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y))));
const tanh = activationGradient("Tanh", "TanhGrad", "y", (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y))));

const softmax: tf.GradConfig = {
  kernelName: "Softmax",
  outputsToSave: [true],
  gradFunc: (dy, [y], attrs) => ({
    logits: () => {
      const axis = (attrs as Attributes).dim as number;
      if (hasKernel("SoftmaxGrad") && isLast(axis, y!)) return run("SoftmaxGrad", { dy: dy as tf.Tensor, y: y! });
      const product = tf.mul(dy as tf.Tensor, y!);
      return tf.sub(product, tf.mul(tf.sum(product, axis, true), y!));
    },
  }),
};

const logSoftmax: tf.GradConfig = {
  kernelName: "LogSoftmax",
  outputsToSave: [true],
  gradFunc: (dy, [y], attrs) => ({
    logits: () => {
      const axis = (attrs as Attributes).axis as number;
      if (hasKernel("LogSoftmaxGrad") && isLast(axis, y!)) return run("LogSoftmaxGrad", { dy: dy as tf.Tensor, y: y! });
      return tf.sub(dy as tf.Tensor, tf.mul(tf.sum(dy as tf.Tensor, axis, true), tf.exp(y!)));
    },
  }),
};

/** Sums over the dimensions that broadcasting added or stretched. */
function sumTo(x: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.backend_util.getReductionAxes(shape, x.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(x, axes) : x, shape);
}

// The stock gradients of these three forget that an input may have been broadcast.
function broadcastGradient(kernelName: string, slope: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => [() => tf.Tensor, () => tf.Tensor]) {
  return {
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy: tf.Tensor | tf.Tensor[], [a, b]: tf.Tensor[]) => {
      const [forA, forB] = slope(dy as tf.Tensor, a!, b!);
      return { a: () => sumTo(forA(), a!.shape), b: () => sumTo(forB(), b!.shape) };
    },
  } satisfies tf.GradConfig;
}

const maximum = broadcastGradient("Maximum", (dy, a, b) => [
  () => tf.mul(dy, tf.cast(tf.greaterEqual(a, b), "float32")),
  () => tf.mul(dy, tf.cast(tf.less(a, b), "float32")),
]);
const minimum = broadcastGradient("Minimum", (dy, a, b) => [
  () => tf.mul(dy, tf.cast(tf.lessEqual(a, b), "float32")),
  () => tf.mul(dy, tf.cast(tf.greater(a, b), "float32")),
]);
const squaredDifference = broadcastGradient("SquaredDifference", (dy, a, b) => [
  () => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
  () => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
]);

function isLast(axis: number, x: tf.Tensor): boolean {
  return axis === -1 || axis === x.rank - 1;
}
