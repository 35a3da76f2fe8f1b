import * as tf from "@tensorflow/tfjs-core";
import type { KernelArguments, KernelTable } from "./kernel-table.js";

type Conv3DInfo = ReturnType<typeof tf.backend_util.computeConv3DInfo>;
type Conv2DInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;
type Triple = [number, number, number];

/** The 21 numbers that describe a 3D convolution to the addon. */
export function geometry3d(i: Conv3DInfo): Float64Array {
  return Float64Array.of(
    ...[i.batchSize, i.inDepth, i.inHeight, i.inWidth, i.inChannels],
    ...[i.filterDepth, i.filterHeight, i.filterWidth, i.outChannels, i.outDepth, i.outHeight, i.outWidth],
    ...[i.strideDepth, i.strideHeight, i.strideWidth, i.dilationDepth, i.dilationHeight, i.dilationWidth],
    ...[i.padInfo.front, i.padInfo.top, i.padInfo.left],
  );
}

/** A 2D convolution is a 3D one of depth 1. */
export function geometry2d(i: Conv2DInfo): Float64Array {
  return Float64Array.of(
    ...[i.batchSize, 1, i.inHeight, i.inWidth, i.inChannels],
    ...[1, i.filterHeight, i.filterWidth, i.outChannels, 1, i.outHeight, i.outWidth],
    ...[1, i.strideHeight, i.strideWidth, 1, i.dilationHeight, i.dilationWidth],
    ...[0, i.padInfo.top, i.padInfo.left],
  );
}

/** The addon's numbers of the activations that end a convolution or a matrix product. */
export const ACTIVATIONS: Readonly<Record<string, number>> = { linear: 0, relu: 1, leakyrelu: 2 };

function areFloats(...infos: (tf.TensorInfo | undefined)[]): boolean {
  return infos.every((info) => info === undefined || info.dtype === "float32");
}

function info2d(x: number[], filter: number[], attrs: KernelArguments["attrs"]): Conv2DInfo | undefined {
  const { strides, pad, dilations, dimRoundingMode, dataFormat } = attrs;
  if (dataFormat === "NCHW") return undefined;
  return tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    false,
    "channelsLast",
  );
}

function info3d(x: number[], filter: number[], attrs: KernelArguments["attrs"]): Conv3DInfo {
  type Five = [number, number, number, number, number];
  return tf.backend_util.computeConv3DInfo(x as Five, filter as Five, attrs.strides as Triple, attrs.dilations ?? 1, attrs.pad);
}

export const convolutionKernels: KernelTable = {
  Conv3D({ inputs, attrs, backend }) {
    const { x, filter } = inputs as Record<string, tf.TensorInfo>;
    if (!areFloats(x, filter) || attrs.dataFormat === "NCDHW") return undefined;
    const info = info3d(x!.shape, filter!.shape, attrs);
    const y = backend.outputFloats(info.outShape);
    backend.addon.convForward(backend.floats(x!), backend.floats(filter!), null, y.values, geometry3d(info), 0, 0);
    return y.info;
  },

  Conv3DBackpropInputV2({ inputs, attrs, backend }) {
    const { dy, filter } = inputs as Record<string, tf.TensorInfo>;
    if (!areFloats(dy, filter)) return undefined;
    const info = info3d(attrs.inputShape, filter!.shape, attrs);
    const dx = backend.outputFloats(attrs.inputShape);
    backend.addon.convInputGradient(backend.floats(dy!), backend.floats(filter!), null, dx.values, geometry3d(info), 0, 0);
    return dx.info;
  },

  Conv3DBackpropFilterV2({ inputs, attrs, backend }) {
    const { x, dy } = inputs as Record<string, tf.TensorInfo>;
    if (!areFloats(x, dy)) return undefined;
    const info = info3d(x!.shape, attrs.filterShape, attrs);
    const dw = backend.outputFloats(attrs.filterShape);
    backend.addon.convFilterGradient(backend.floats(x!), backend.floats(dy!), dw.values, geometry3d(info));
    return dw.info;
  },

  Conv2D({ inputs, attrs, backend }) {
    const { x, filter } = inputs as Record<string, tf.TensorInfo>;
    const info = areFloats(x, filter) ? info2d(x!.shape, filter!.shape, attrs) : undefined;
    if (!info) return undefined;
    const y = backend.outputFloats(info.outShape);
    backend.addon.convForward(backend.floats(x!), backend.floats(filter!), null, y.values, geometry2d(info), 0, 0);
    return y.info;
  },

  Conv2DBackpropInput({ inputs, attrs, backend }) {
    const { dy, filter } = inputs as Record<string, tf.TensorInfo>;
    const info = areFloats(dy, filter) ? info2d(attrs.inputShape, filter!.shape, attrs) : undefined;
    if (!info) return undefined;
    const dx = backend.outputFloats(attrs.inputShape);
    backend.addon.convInputGradient(backend.floats(dy!), backend.floats(filter!), null, dx.values, geometry2d(info), 0, 0);
    return dx.info;
  },

  Conv2DBackpropFilter({ inputs, attrs, backend }) {
    const { x, dy } = inputs as Record<string, tf.TensorInfo>;
    const info = areFloats(x, dy) ? info2d(x!.shape, attrs.filterShape, attrs) : undefined;
    if (!info) return undefined;
    const dw = backend.outputFloats(attrs.filterShape);
    backend.addon.convFilterGradient(backend.floats(x!), backend.floats(dy!), dw.values, geometry2d(info));
    return dw.info;
  },

  FusedConv2D({ inputs, attrs, backend }) {
    const { x, filter, bias, preluActivationWeights } = inputs;
    const activation = ACTIVATIONS[attrs.activation ?? "linear"];
    if (activation === undefined || preluActivationWeights || !areFloats(x, filter, bias)) return undefined;
    if (bias && tf.util.sizeFromShape(bias.shape) !== filter!.shape[3]) return undefined;
    const info = info2d(x!.shape, filter!.shape, attrs);
    if (!info) return undefined;
    const y = backend.outputFloats(info.outShape);
    const alpha = attrs.leakyreluAlpha ?? 0;
    backend.addon.convForward(
      backend.floats(x!),
      backend.floats(filter!),
      bias ? backend.floats(bias) : null,
      y.values,
      geometry2d(info),
      activation,
      alpha,
    );
    return y.info;
  },
};
