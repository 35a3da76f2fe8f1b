import * as tf from "@tensorflow/tfjs-core";

export type Gradients = ReadonlyMap<tf.Variable, tf.Tensor>;

/** The weighted mean of the gradients of several batches; what is added belongs to the sum from then on. */
export interface GradientSum {
  add(gradients: Gradients, weight: number): void;
  /** The mean; the sum is empty then. A single batch's gradients are given as they are. */
  take(): Gradients;
  dispose(): void;
}

export function gradientSum(): GradientSum {
  let sum = new Map<tf.Variable, tf.Tensor>();
  let total = 0;
  // While it holds one batch, the gradients are kept unweighted.
  let count = 0;
  const scale = (factor: number): void => {
    for (const [variable, gradient] of sum) {
      sum.set(variable, tf.mul(gradient, factor));
      gradient.dispose();
    }
  };
  return {
    add(gradients, weight) {
      if (count === 0) sum = new Map(gradients);
      else {
        if (count === 1) scale(total);
        for (const [variable, gradient] of gradients) {
          const before = sum.get(variable);
          sum.set(
            variable,
            tf.tidy(() => (before ? tf.add(before, tf.mul(gradient, weight)) : tf.mul(gradient, weight))),
          );
          before?.dispose();
          gradient.dispose();
        }
      }
      total += weight;
      count++;
    },
    take() {
      if (count > 1) scale(1 / total);
      const taken = sum;
      sum = new Map();
      total = 0;
      count = 0;
      return taken;
    },
    dispose() {
      tf.dispose([...sum.values()]);
      sum = new Map();
    },
  };
}
