import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../../core/errors.js";
import { type NamedTensor, Slots } from "./slots.js";

/** What optimizers with state per variable share: the rate, the decay, and saving and restoring. */
export abstract class SlotOptimizer<Options extends { readonly weightDecay: number }> extends tf.Optimizer {
  /** May be changed between steps. */
  learningRate: number;
  protected readonly slots = new Slots();

  constructor(
    where: string,
    learningRate: number,
    protected readonly options: Options,
  ) {
    super();
    requireOption(learningRate >= 0 && Number.isFinite(learningRate), where, "learningRate", ">= 0", learningRate);
    requireOption(options.weightDecay >= 0, where, "weightDecay", ">= 0", options.weightDecay);
    this.learningRate = learningRate;
  }

  /** The number of steps, then the slots by name; live tensors, not copies (the first is the caller's to dispose of). */
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
    return new type(config);
  }
}
