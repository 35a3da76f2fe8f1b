import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../../core/errors.js";
import { Random } from "../../core/random.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { seededDropout } from "../ops/seeded-dropout.js";
import { currentEngine } from "../start-engine.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { type LayerArguments, type LayerShape, onlyShape, onlyTensor } from "./layer-shape.js";

export interface DropoutOptions extends LayerArguments {
  /** Share of the values that become 0. */
  readonly rate: number;
  /** Drops whole channels instead of single values, as suits volumes whose neighbors are alike. */
  readonly perChannel?: boolean;
}

class Dropout extends tfl.layers.Layer {
  static className = "VoxDropout";
  private readonly rate: number;
  private readonly perChannel: boolean;

  constructor(args: DropoutOptions) {
    super(args);
    const { rate, perChannel = false } = args;
    requireOption(rate >= 0 && rate < 1, "dropout", "rate", "in [0, 1)", rate);
    this.rate = rate;
    this.perChannel = perChannel;
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    return onlyShape(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const x = onlyTensor(inputs);
    if (!kwargs.training || this.rate === 0) return tf.clone(x);
    return tf.tidy(() => {
      // Keyed by seed, step and layer, so that a resumed run drops the same values.
      const engine = currentEngine();
      const random = new Random(engine?.seed ?? 0, engine?.step ?? 0, this.name, "dropout");
      const options = { rate: this.rate, key: [random.uint32(), random.uint32()] as const };
      if (!this.perChannel) return seededDropout(x, options);
      const mask = seededDropout(tf.ones([x.shape[0]!, ...x.shape.slice(1, -1).map(() => 1), x.shape.at(-1)!]), options);
      return tf.mul(x, mask);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate, perChannel: this.perChannel };
  }
}
tf.serialization.registerClass(Dropout as unknown as tf.serialization.SerializableConstructor<Dropout>);

/**
 * Sets a random share of the values to 0 in training and scales the rest by 1 / (1 - rate). The mask depends on the engine's seed and step and the layer's
 * name only.
 *
 * @source Srivastava et al. 2014; whole channels: Tompson et al. 2015
 * @throws `ERR_OPTION` when the rate is outside [0, 1)
 */
export function dropout(options: DropoutOptions): tfl.layers.Layer {
  requireKnownOptions("dropout", options, ["rate", "perChannel", ...LAYER_OPTIONS]);
  return new Dropout(options);
}
