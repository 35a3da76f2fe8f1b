import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";

export interface GpuKernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo | undefined>>;
  // Attributes are what each operation documents; TensorFlow.js types them as a union that fits none of them.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly attrs: any;
  readonly backend: WebGPUBackend;
}

/** Runs one operation on the card. */
export type GpuKernel = (call: GpuKernelCall) => tf.TensorInfo | tf.TensorInfo[];

export type GpuKernelTable = Readonly<Record<string, GpuKernel>>;
