import type { Shape4, Triple } from "../core/shape.js";

type Elements = Float32Array | Uint8Array | Uint16Array;

/** Copies a box of `size` voxels from `from` (at `fromStart`) to `to` (at `toStart`), row by row; both arrays are in C order. */
export function copyRows(from: Elements, fromShape: Shape4, fromStart: Triple, to: Elements, toShape: Shape4, toStart: Triple, size: Triple): void {
  const channels = fromShape[3];
  const row = size[2] * channels;
  for (let z = 0; z < size[0]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const source = (((fromStart[0] + z) * fromShape[1] + fromStart[1] + y) * fromShape[2] + fromStart[2]) * channels;
      const target = (((toStart[0] + z) * toShape[1] + toStart[1] + y) * toShape[2] + toStart[2]) * channels;
      // A loop beats set(subarray()) on short rows, where making the view costs more than the copy.
      if (row < 48) for (let i = 0; i < row; i++) to[target + i] = from[source + i]!;
      else to.set(from.subarray(source, source + row), target);
    }
  }
}
