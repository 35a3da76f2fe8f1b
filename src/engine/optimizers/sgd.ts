import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../../core/errors.js";
import { momentumUpdate } from "./adam-update.js";
import { gradientsByVariable, type NamedTensor, Slots } from "./slots.js";

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
export class Sgd extends tf.Optimizer {
  static get className(): string {
    return "VoxSgd";
  }
  /** May be changed between steps. */
  learningRate: number;
  private readonly options: Required<Omit<SgdOptions, "learningRate">>;
  private readonly slots = new Slots();

  constructor({ learningRate = 1e-2, momentum = 0.99, nesterov = true, weightDecay = 0 }: SgdOptions = {}) {
    super();
    requireOption(learningRate >= 0 && Number.isFinite(learningRate), "sgd", "learningRate", ">= 0", learningRate);
    requireOption(momentum >= 0 && momentum < 1, "sgd", "momentum", "in [0, 1)", momentum);
    requireOption(weightDecay >= 0, "sgd", "weightDecay", ">= 0", weightDecay);
    this.learningRate = learningRate;
    this.options = { momentum, nesterov, weightDecay };
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

  override async getWeights(): Promise<NamedTensor[]> {
    return [await this.saveIterations(), ...this.slots.named()];
  }

  override async setWeights(values: NamedTensor[]): Promise<void> {
    this.slots.restore(await this.extractIterations(values));
  }

  override dispose(): void {
    this.slots.dispose();
  }

  getConfig(): tf.serialization.ConfigDict {
    return { learningRate: this.learningRate, ...this.options };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    type: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new type(config as SgdOptions);
  }
}
tf.serialization.registerClass(Sgd as unknown as tf.serialization.SerializableConstructor<Sgd>);
