import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { NativeAddon } from "../../kernels/native.js";
import type { Elements } from "./addon.js";

/**
 * A TensorFlow.js backend whose tensors have the layout of the stock `cpu` backend, so that every stock kernel runs on them, and whose own kernels are in
 * the addon.
 */
export class NativeBackend extends MathBackendCPU {
  readonly addon: NativeAddon;

  constructor(addon: NativeAddon) {
    super();
    this.addon = addon;
    // The stock class prints an advertisement at the first write.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  /** The values of a tensor. They may be read until the tensor is disposed of. */
  values(info: tf.TensorInfo): Elements {
    return this.data.get(info.dataId).values as Elements;
  }

  floats(info: tf.TensorInfo): Float32Array {
    return this.values(info) as Float32Array;
  }

  /** A new tensor with undefined values, to be filled by the caller. */
  output(shape: readonly number[], dtype: "float32" | "int32" | "bool" = "float32"): { info: tf.TensorInfo; values: Elements } {
    const size = tf.util.sizeFromShape(shape as number[]);
    const values = dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size);
    return { info: this.makeTensorInfo(shape as number[], dtype, values), values };
  }

  outputFloats(shape: readonly number[]): { info: tf.TensorInfo; values: Float32Array } {
    return this.output(shape) as { info: tf.TensorInfo; values: Float32Array };
  }
}
