import * as tf from "@tensorflow/tfjs-core";

/**
 * The filter with `rate - 1` zeros between its taps: a dilated convolution is the plain one with this filter. For engines whose kernels have no dilation.
 *
 * @shape `[kD, kH, kW, in, out]` → `[(kD - 1) * rate + 1, …, in, out]`
 */
export function dilateFilter(filter: tf.Tensor5D, rates: readonly [number, number, number]): tf.Tensor5D {
  return tf.tidy(() => {
    let result: tf.Tensor = filter;
    rates.forEach((rate, d) => {
      if (rate === 1) return;
      const shape = result.shape;
      const size = shape[d]!;
      const outer = tf.util.sizeFromShape(shape.slice(0, d));
      const inner = tf.util.sizeFromShape(shape.slice(d + 1));
      const spread = tf.pad(tf.reshape(result, [outer, size, 1, inner]), [
        [0, 0],
        [0, 0],
        [0, rate - 1],
        [0, 0],
      ]);
      const trimmed = tf.slice(tf.reshape(spread, [outer, size * rate, inner]), [0, 0, 0], [outer, (size - 1) * rate + 1, inner]);
      result = tf.reshape(trimmed, [...shape.slice(0, d), (size - 1) * rate + 1, ...shape.slice(d + 1)]);
    });
    return (result === filter ? tf.clone(filter) : result) as tf.Tensor5D;
  });
}
