import * as tf from "@tensorflow/tfjs-core";

/** Tensors as the values of all of them, one behind the other: what ranks sum up. */
export const flatTensors = {
  /** The values, each times a weight. */
  join: async (tensors: readonly tf.Tensor[], weight = 1): Promise<Float32Array> => {
    const flat = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0));
    let at = 0;
    for (const tensor of tensors) {
      const values = await tensor.data<"float32">();
      for (let i = 0; i < values.length; i++) flat[at + i] = values[i]! * weight;
      at += values.length;
    }
    return flat;
  },
  /** Such values as tensors of these shapes again. */
  split: (flat: Float32Array, shapes: readonly (readonly number[])[]): tf.Tensor[] => {
    let at = 0;
    return shapes.map((shape) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      at += size;
      return tf.tensor(flat.slice(at - size, at), shape as number[]);
    });
  },
};
