import * as tf from "@tensorflow/tfjs-core";

/**
 * How inputs of these shapes are read to fill their broadcast shape, as the addon takes it: `[rank, sizes…, strides of each input…]` with neighboring
 * dimensions merged, or undefined when more than 6 remain.
 */
export function broadcastShape(...shapes: readonly (readonly number[])[]): { shape: number[]; numbers: Float64Array } | undefined {
  let shape: number[] = [];
  for (const one of shapes) shape = tf.backend_util.assertAndGetBroadcastShape(shape, one as number[]);
  const strides = shapes.map((one) => stridesInto(one, shape.length));
  const sizes: number[] = [];
  const merged: number[][] = shapes.map(() => []);
  shape.forEach((size, d) => {
    if (size === 1) return;
    const last = sizes.length - 1;
    const joins = last >= 0 && strides.every((s, k) => merged[k]![last] === s[d]! * size);
    if (joins) {
      sizes[last] = sizes[last]! * size;
      for (let k = 0; k < strides.length; k++) merged[k]![last] = strides[k]![d]!;
    } else {
      sizes.push(size);
      for (let k = 0; k < strides.length; k++) merged[k]!.push(strides[k]![d]!);
    }
  });
  if (sizes.length === 0) {
    sizes.push(1);
    for (const m of merged) m.push(0);
  }
  if (sizes.length > 6) return undefined;
  return { shape, numbers: Float64Array.from([sizes.length, ...sizes, ...merged.flat()]) };
}

function stridesInto(shape: readonly number[], rank: number): number[] {
  const strides: number[] = new Array(rank).fill(0);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1) strides[rank - shape.length + d] = stride;
    stride *= shape[d]!;
  }
  return strides;
}
