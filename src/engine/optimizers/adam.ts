import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { adamUpdate } from "./adam-update.js";
import { SlotOptimizer } from "./slot-optimizer.js";
import { gradientsByVariable, type NamedTensor } from "./slots.js";

export interface AdamOptions {
  readonly learningRate?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Share of each weight that decays per step and unit of learning rate, apart from the gradient. */
  readonly weightDecay?: number;
}

/**
 * Adam, in one pass over memory on the native engine. Follows the equations within rounding of the weights; `tf.train.adam` differs by up to 1e-5 in its first
 * hundreds of steps, because it keeps the powers of beta as float32 scalars, where 1 - 0.999 is off by 1.3e-5.
 *
 * @source Kingma and Ba 2015
 */
export class Adam extends SlotOptimizer<Required<Omit<AdamOptions, "learningRate">>> {
  static get className(): string {
    return "VoxAdam";
  }

  constructor({ learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0, ...unknown }: AdamOptions = {}) {
    super("adam", learningRate, { beta1, beta2, epsilon, weightDecay });
    requireKnownOptions("Adam", unknown, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay"]);
    requireOption(beta1 >= 0 && beta1 < 1, "adam", "beta1", "in [0, 1)", beta1);
    requireOption(beta2 >= 0 && beta2 < 1, "adam", "beta2", "in [0, 1)", beta2);
    requireOption(epsilon > 0, "adam", "epsilon", "> 0", epsilon);
  }

  override applyGradients(gradients: tf.NamedTensorMap | NamedTensor[]): void {
    const { beta1, beta2, epsilon, weightDecay } = this.options;
    this.incrementIterations();
    const steps = this.iterations;
    for (const [variable, gradient] of gradientsByVariable(gradients)) {
      adamUpdate({
        variable,
        gradient,
        firstMoment: this.slots.of(variable, "m"),
        secondMoment: this.slots.of(variable, "v"),
        beta1,
        beta2,
        size: this.learningRate / (1 - beta1 ** steps),
        root: 1 / Math.sqrt(1 - beta2 ** steps),
        epsilon,
        decay: this.learningRate * weightDecay,
      });
    }
  }
}
tf.serialization.registerClass(Adam as unknown as tf.serialization.SerializableConstructor<Adam>);
