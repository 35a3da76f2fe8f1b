import type * as tf from "@tensorflow/tfjs-core";

/** What an input is filled with: normal numbers, positive ones (logarithms, roots), or integers from 0 to 4. */
export type InputKind = "normal" | "positive" | "labels";

export interface CheckInput {
  readonly shape: readonly number[];
  readonly kind?: InputKind;
}

/** One operation on one shape: its result and the gradients of all float inputs are compared between engines. */
export interface CheckCase {
  /** Name of the operation, as an error names it. */
  readonly op: string;
  readonly detail: string;
  readonly inputs: readonly CheckInput[];
  readonly run: (inputs: tf.Tensor[]) => tf.Tensor;
  /** Forward only: the operation has no gradient. */
  readonly isForwardOnly?: boolean;
}
