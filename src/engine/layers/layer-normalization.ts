import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { normalize } from "../ops/normalize.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { channelsOf, type LayerArguments, type LayerShape, onlyShape, onlyTensor } from "./layer-shape.js";

export interface LayerNormalizationOptions extends LayerArguments {
  readonly epsilon?: number;
}

class LayerNormalization extends tfl.layers.Layer {
  static className = "VoxLayerNormalization";
  private readonly epsilon: number;
  private gamma!: tfl.LayerVariable;
  private beta!: tfl.LayerVariable;

  constructor(args: LayerNormalizationOptions) {
    super(args);
    const { epsilon = 1e-5 } = args;
    requireOption(epsilon > 0, "layerNormalization", "epsilon", "> 0", epsilon);
    this.epsilon = epsilon;
  }

  override build(inputShape: LayerShape | LayerShape[]): void {
    const channels = channelsOf(inputShape);
    this.gamma = this.addWeight("gamma", [channels], "float32", tfl.initializers.ones(), undefined, true);
    this.beta = this.addWeight("beta", [channels], "float32", tfl.initializers.zeros(), undefined, true);
    this.built = true;
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    return onlyShape(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const channels = x.shape[x.rank - 1]!;
      // One group of all channels, with each voxel as a sample of its own.
      const voxels = tf.reshape(x, [x.size / channels, 1, channels]);
      const gamma = this.gamma.read() as tf.Tensor1D;
      const beta = this.beta.read() as tf.Tensor1D;
      return tf.reshape(normalize(voxels, gamma, beta, { over: "group", groups: 1, epsilon: this.epsilon }).y, x.shape);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(LayerNormalization as unknown as tf.serialization.SerializableConstructor<LayerNormalization>);

/**
 * Normalizes the channels of each voxel, then scales and shifts each channel. The stock layer has no rank 5.
 *
 * @shape any rank, channels last → same
 * @source Ba et al. 2016
 * @throws `ERR_OPTION` when `epsilon` is not > 0
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): tfl.layers.Layer {
  requireKnownOptions("layerNormalization", options, ["epsilon", ...LAYER_OPTIONS]);
  return new LayerNormalization(options);
}
