import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { momentumUpdate } from "./adam-update.js";
import { SlotOptimizer } from "./slot-optimizer.js";
import { gradientsByVariable, type NamedTensor } from "./slots.js";

export interface SgdOptions {
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum, plain or Nesterov's; same values as `tf.train.momentum`.
 *
 * @source Sutskever et al. 2013; momentum 0.99 with Nesterov is nnU-Net's choice
 */
export class Sgd extends SlotOptimizer<Required<Omit<SgdOptions, "learningRate">>> {
  static get className(): string {
    return "VoxSgd";
  }

  constructor({ learningRate = 1e-2, momentum = 0.99, nesterov = true, weightDecay = 0, ...unknown }: SgdOptions = {}) {
    super("sgd", learningRate, { momentum, nesterov, weightDecay });
    requireKnownOptions("Sgd", unknown, ["learningRate", "momentum", "nesterov", "weightDecay"]);
    requireOption(momentum >= 0 && momentum < 1, "sgd", "momentum", "in [0, 1)", momentum);
  }

  override applyGradients(gradients: tf.NamedTensorMap | NamedTensor[]): void {
    const { momentum, nesterov, weightDecay } = this.options;
    this.incrementIterations();
    for (const [variable, gradient] of gradientsByVariable(gradients)) {
      momentumUpdate({
        variable,
        gradient,
        velocity: this.slots.of(variable, "momentum"),
        momentum,
        rate: this.learningRate,
        isNesterov: nesterov,
        decay: this.learningRate * weightDecay,
      });
    }
  }
}
tf.serialization.registerClass(Sgd as unknown as tf.serialization.SerializableConstructor<Sgd>);
