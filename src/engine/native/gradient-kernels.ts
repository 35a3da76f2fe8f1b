import type * as tf from "@tensorflow/tfjs-core";
import { binaryKernel, GRADIENT_OPS } from "./elementwise.js";
import type { KernelBody, KernelTable } from "./kernel-table.js";

function softmaxGrad(logarithm: number): KernelBody {
  return ({ inputs, backend }) => {
    const { dy, y } = inputs as Record<string, tf.TensorInfo>;
    const dx = backend.outputFloats(y!.shape);
    const channels = y!.shape.at(-1)!;
    backend.addon.softmaxGrad(backend.floats(dy!), backend.floats(y!), dx.values, dx.values.length / channels, channels, logarithm);
    return dx.info;
  };
}

/** Kernels without a stock counterpart, which src/engine/register-gradients.ts uses where they are registered. */
export const gradientKernels: KernelTable = {
  ReluGrad: binaryKernel(GRADIENT_OPS.relu, "dy", "y"),
  LeakyReluGrad: binaryKernel(GRADIENT_OPS.leakyRelu, "dy", "y"),
  SigmoidGrad: binaryKernel(GRADIENT_OPS.sigmoid, "dy", "y"),
  TanhGrad: binaryKernel(GRADIENT_OPS.tanh, "dy", "y"),
  SoftmaxGrad: softmaxGrad(0),
  LogSoftmaxGrad: softmaxGrad(1),
};
