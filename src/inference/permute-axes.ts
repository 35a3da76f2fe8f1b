import { elementCount, type Shape4, type Triple } from "../core/shape.js";
import { reorient } from "../kernels/reorient/reorient.js";

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
  const turned: Shape4 = [shape[order[0]]!, shape[order[1]]!, shape[order[2]]!, shape[3]];
  const data = new (input.constructor as new (length: number) => T)(elementCount(shape));
  reorient(input, shape, data, order, [false, false, false]);
  return { data, shape: turned };
}
