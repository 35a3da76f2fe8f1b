import * as tf from "@tensorflow/tfjs-core";

/**
 * Scales all gradients together so that the L2 norm over all of them is at most `norm`; the originals are disposed.
 *
 * @source Pascanu et al. 2013, algorithm 1
 */
export async function clipGradients(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, norm: number): Promise<Map<tf.Variable, tf.Tensor>> {
  const square = tf.tidy(() => tf.addN([...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)))));
  const total = Math.sqrt((await square.data())[0]!);
  square.dispose();
  if (!(total > norm)) return new Map(gradients);
  const factor = norm / total;
  return new Map(
    [...gradients].map(([variable, gradient]) => {
      const scaled = tf.mul(gradient, factor);
      gradient.dispose();
      return [variable, scaled];
    }),
  );
}
