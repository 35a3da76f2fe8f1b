import type * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "./native-backend.js";

export interface KernelArguments {
  readonly inputs: tf.NamedTensorInfoMap;
  // Attributes are what each operation documents; TensorFlow.js types them as a union that fits none of them.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly attrs: any;
  readonly backend: NativeBackend;
}

/** Runs one operation, or returns undefined when it does not cover this case and the stock kernel shall. */
export type KernelBody = (args: KernelArguments) => tf.TensorInfo | tf.TensorInfo[] | undefined;

export type KernelTable = Readonly<Record<string, KernelBody>>;
