import { elementCount, type Shape4, type Triple } from "../core/shape.js";

/**
 * Turns an array so that its axis `order[k]` becomes axis k; channels stay together. `input` is not written.
 *
 * @shape (D, H, W, C) → (shape[order[0]], shape[order[1]], shape[order[2]], C)
 * @example
 * permuteAxes(image, [48, 96, 96, 1], [1, 0, 2]); // coronal slices first
 */
export function permuteAxes<T extends Float32Array | Uint8Array | Uint16Array>(
  input: T,
  shape: Shape4,
  order: Triple,
): { readonly data: T; readonly shape: Shape4 } {
  const channels = shape[3];
  const strides = [shape[1] * shape[2] * channels, shape[2] * channels, channels] as const;
  const turned: Shape4 = [shape[order[0]]!, shape[order[1]]!, shape[order[2]]!, channels];
  const [a, b, c] = [strides[order[0]]!, strides[order[1]]!, strides[order[2]]!];
  const data = new (input.constructor as new (length: number) => T)(elementCount(shape));
  let to = 0;
  for (let i = 0; i < turned[0]; i++) {
    for (let j = 0; j < turned[1]; j++) {
      let from = i * a + j * b;
      for (let k = 0; k < turned[2]; k++, from += c) for (let channel = 0; channel < channels; channel++) data[to++] = input[from + channel]!;
    }
  }
  return { data, shape: turned };
}
