import type * as tfl from "@tensorflow/tfjs-layers";

// Internal: options that every layer of TensorFlow.js has.
type LayerArguments = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

export const LAYER_OPTIONS = [
  "inputShape",
  "batchInputShape",
  "batchSize",
  "dtype",
  "name",
  "trainable",
  "weights",
  "inputDType",
] as const satisfies readonly (keyof LayerArguments)[];
