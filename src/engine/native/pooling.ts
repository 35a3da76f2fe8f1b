import * as tf from "@tensorflow/tfjs-core";
import type { KernelArguments, KernelTable } from "./kernel-table.js";

/** The 20 numbers that describe a pooling to the addon; a 2D pooling has depth 1. */
function geometry(shape: number[], attrs: KernelArguments["attrs"]): { numbers: Float64Array; outShape: number[] } | undefined {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  if (shape.length === 5) {
    if (attrs.dataFormat === "NCDHW") return undefined;
    type Five = [number, number, number, number, number];
    const i = tf.backend_util.computePool3DInfo(shape as Five, filterSize, strides, 1, pad, dimRoundingMode);
    const numbers = Float64Array.of(
      ...[i.batchSize, i.inDepth, i.inHeight, i.inWidth, i.inChannels, i.filterDepth, i.filterHeight, i.filterWidth],
      ...[i.outDepth, i.outHeight, i.outWidth, i.strideDepth, i.strideHeight, i.strideWidth, 1, 1, 1],
      ...[i.padInfo.front, i.padInfo.top, i.padInfo.left],
    );
    return { numbers, outShape: i.outShape };
  }
  const i = tf.backend_util.computePool2DInfo(shape as [number, number, number, number], filterSize, strides, 1, pad, dimRoundingMode);
  const numbers = Float64Array.of(
    ...[i.batchSize, 1, i.inHeight, i.inWidth, i.inChannels, 1, i.filterHeight, i.filterWidth],
    ...[1, i.outHeight, i.outWidth, 1, i.strideHeight, i.strideWidth, 1, 1, 1],
    ...[0, i.padInfo.top, i.padInfo.left],
  );
  return { numbers, outShape: i.outShape };
}

function forward({ inputs, attrs, backend }: KernelArguments, average: number): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  const plan = x.dtype === "float32" ? geometry(x.shape, attrs) : undefined;
  if (!plan) return undefined;
  const y = backend.outputFloats(plan.outShape);
  backend.addon.poolForward(backend.floats(x), y.values, plan.numbers, average);
  return y.info;
}

function maxGrad({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const { dy, input } = inputs as Record<string, tf.TensorInfo>;
  const plan = input!.dtype === "float32" && dy!.dtype === "float32" ? geometry(input!.shape, attrs) : undefined;
  if (!plan) return undefined;
  const dx = backend.outputFloats(input!.shape);
  backend.addon.maxPoolGrad(backend.floats(input!), backend.floats(dy!), dx.values, plan.numbers);
  return dx.info;
}

function averageGrad({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const { dy, input } = inputs as Record<string, tf.TensorInfo>;
  const plan = dy!.dtype === "float32" ? geometry(input!.shape, attrs) : undefined;
  if (!plan) return undefined;
  const dx = backend.outputFloats(input!.shape);
  backend.addon.averagePoolGrad(backend.floats(dy!), dx.values, plan.numbers);
  return dx.info;
}

export const poolingKernels: KernelTable = {
  MaxPool3D: (args) => forward(args, 0),
  MaxPool: (args) => forward(args, 0),
  AvgPool3D: (args) => forward(args, 1),
  AvgPool: (args) => forward(args, 1),
  MaxPool3DGrad: maxGrad,
  MaxPoolGrad: maxGrad,
  AvgPool3DGrad: averageGrad,
  AvgPoolGrad: averageGrad,
};
