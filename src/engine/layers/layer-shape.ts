import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** What every layer takes: name, trainable and so on. */
export type LayerArguments = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

export type LayerShape = (number | null)[];

/** The one shape of a layer with one input. */
export function onlyShape(shape: LayerShape | LayerShape[]): LayerShape {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as LayerShape;
}

export function onlyTensor(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

export function channelsOf(shape: LayerShape | LayerShape[]): number {
  const channels = onlyShape(shape).at(-1);
  if (channels === null || channels === undefined) throw new Error("the last dimension, channels, must be known");
  return channels;
}
