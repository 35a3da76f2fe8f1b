import * as tf from "@tensorflow/tfjs-core";
import { VoxError } from "../../core/errors.js";

/** A running mean of a model's weights, which can take their place. */
export interface WeightAverage {
  /** After each step, with its number. */
  update(step: number): void;
  /** Exchanges the weights and their mean; a second call brings them back. */
  swap(): void;
  /** float32 arrays by `<variable>/ema`, for checkpoints. */
  state(): Promise<ReadonlyMap<string, Float32Array>>;
  /** @throws `ERR_CHECKPOINT` when the state is of other variables */
  restore(slots: ReadonlyMap<string, Float32Array>): void;
  dispose(): void;
}

/**
 * `mean ← mean + (1 - d) (weight - mean)` with `d = min(decay, (1 + step) / (10 + step))`, so that the mean follows at first, when the weights are still random.
 *
 * @source Polyak and Juditsky 1992 for averaging; the growing decay is that of TensorFlow's ExponentialMovingAverage (num_updates)
 */
export function weightAverage(decay: number, variables: readonly { readonly name: string; readonly variable: tf.Variable }[]): WeightAverage {
  const means = variables.map(({ name, variable }) => ({
    name: `${name}/ema`,
    variable,
    mean: tf.tidy(() => tf.variable(tf.clone(variable), false)),
  }));
  return {
    update(step) {
      const follow = 1 - Math.min(decay, (1 + step) / (10 + step));
      for (const { variable, mean } of means) tf.tidy(() => mean.assign(tf.add(mean, tf.mul(tf.sub(variable, mean), follow))));
    },
    swap() {
      for (const { variable, mean } of means) {
        tf.tidy(() => {
          const weight = tf.clone(variable);
          variable.assign(tf.clone(mean));
          mean.assign(weight);
        });
      }
    },
    async state() {
      const slots = new Map<string, Float32Array>();
      for (const { name, mean } of means) slots.set(name, (await mean.data<"float32">()).slice());
      return slots;
    },
    restore(slots) {
      for (const { name, mean } of means) {
        const values = slots.get(name);
        if (values?.length !== mean.size) {
          throw new VoxError(`the checkpoint must hold ${mean.size} values of ${name}, got ${values?.length ?? "none"}`, {
            code: "ERR_CHECKPOINT",
            where: "weightAverage",
          });
        }
        tf.tidy(() => mean.assign(tf.tensor(values, mean.shape, "float32")));
      }
    },
    dispose() {
      for (const { mean } of means) mean.dispose();
    },
  };
}
