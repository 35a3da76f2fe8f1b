import * as tf from "@tensorflow/tfjs-core";
import { runKernel, runKernels } from "./ops/run-kernel.js";

type Attributes = Record<string, unknown>;

/** Gradient of the output of a fused convolution before its activation and bias, and of the bias. */
function beforeActivation(dy: tf.Tensor, y: tf.Tensor | undefined, attrs: Attributes): { g: tf.Tensor; bias: tf.Tensor } {
  if (!y) return { g: dy, bias: runKernels("ActivationBiasGrad", { dy })[0]! };
  const [g, bias] = runKernels("ActivationBiasGrad", { dy, y }, attrs);
  return { g: g!, bias: bias! };
}

function convolution(kernelName: string, hasActivation: boolean): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ["x", "filter"],
    outputsToSave: [hasActivation],
    gradFunc: (dy, [x, filter, y], attrs) => {
      const { g, bias } = beforeActivation(dy as tf.Tensor, hasActivation ? y : undefined, attrs);
      const { strides, pad, dilations } = attrs;
      return {
        x: () => runKernel("Conv3DBackpropInputV2", { dy: g, filter: filter! }, { strides, pad, dilations, inputShape: x!.shape }),
        filter: () => runKernel("Conv3DBackpropFilterV2", { x: x!, dy: g }, { strides, pad, dilations, filterShape: filter!.shape }),
        bias: () => bias,
      };
    },
  };
}

function transposed(kernelName: string, hasActivation: boolean): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ["x", "filter"],
    outputsToSave: [hasActivation],
    gradFunc: (dy, [x, filter, y], attrs) => {
      const { g, bias } = beforeActivation(dy as tf.Tensor, hasActivation ? y : undefined, attrs);
      const { strides, pad } = attrs;
      return {
        x: () => runKernel("Conv3D", { x: g, filter: filter! }, { strides, pad, dilations: 1, dataFormat: "NDHWC" }),
        filter: () => runKernel("Conv3DBackpropFilterV2", { x: g, dy: x! }, { strides, pad, filterShape: filter!.shape }),
        bias: () => bias,
      };
    },
  };
}

const normalization: tf.GradConfig = {
  kernelName: "FusedNormalization",
  inputsToSave: ["x", "gamma", "beta"],
  outputsToSave: [false, true, true],
  gradFunc: (dys, [x, gamma, beta, mean, variance], attrs) => {
    const dy = (dys as tf.Tensor[])[0]!;
    const inputs = { x: x!, dy, gamma: gamma!, beta: beta!, mean: mean!, variance: variance! };
    const [dx, dgamma, dbeta] = runKernels("FusedNormalizationGrad", inputs, { ...attrs, given: false });
    return { x: () => dx!, gamma: () => dgamma!, beta: () => dbeta! };
  },
};

const normalizationGiven: tf.GradConfig = {
  kernelName: "FusedNormalizationGiven",
  inputsToSave: ["x", "gamma", "beta", "mean", "variance"],
  gradFunc: (dy, [x, gamma, beta, mean, variance], attrs) => {
    const inputs = { x: x!, dy: dy as tf.Tensor, gamma: gamma!, beta: beta!, mean: mean!, variance: variance! };
    const [dx, dgamma, dbeta] = runKernels("FusedNormalizationGrad", inputs, { ...attrs, given: true });
    // The statistics are constants in prediction mode.
    const none = () => tf.zeros(mean!.shape);
    return { x: () => dx!, gamma: () => dgamma!, beta: () => dbeta!, mean: none, variance: none };
  },
};

const upSampling: tf.GradConfig = {
  kernelName: "UpSampling3D",
  gradFunc: (dy, _, attrs) => ({ x: () => runKernel("UpSampling3DGrad", { dy: dy as tf.Tensor }, attrs) }),
};

const seededDropout: tf.GradConfig = {
  kernelName: "SeededDropout",
  gradFunc: (dy, _, attrs) => ({ x: () => runKernel("SeededDropoutGrad", { dy: dy as tf.Tensor }, attrs) }),
};

const statistics: tf.GradConfig = {
  kernelName: "SoftmaxStatistics",
  inputsToSave: ["logits", "labels"],
  gradFunc: (dy, [logits, labels]) => ({
    logits: () => runKernel("SoftmaxStatisticsGrad", { logits: logits!, labels: labels!, dy: dy as tf.Tensor }),
    labels: () => tf.zeros(labels!.shape),
  }),
};

/** Gradients of the kernels of src/engine/native/fused.ts. */
export const fusedGradients: readonly tf.GradConfig[] = [
  convolution("FusedConv3D", false),
  convolution("FusedConv3DActivation", true),
  transposed("FusedConv3DTranspose", false),
  transposed("FusedConv3DTransposeActivation", true),
  normalization,
  normalizationGiven,
  upSampling,
  seededDropout,
  statistics,
];
