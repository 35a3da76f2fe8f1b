import type { Shape4 } from "../../core/shape.js";
import type { VoxelArray } from "../voxel-array.js";

/** Whole-sample reflection (`c b | a b c d | c b`), repeated as often as needed. */
export function reflectIndex(i: number, extent: number): number {
  if (extent === 1) return 0;
  const period = 2 * (extent - 1);
  const at = ((i % period) + period) % period;
  return at < extent ? at : period - at;
}

/**
 * Fills what lies outside the box [before, before + shape) of `output`, whose inside already holds the image: one axis after the other over the extents
 * that the axes before have already filled, as numpy.pad does.
 */
export function padOutsideReference(
  output: VoxelArray,
  outShape: Shape4,
  shape: Shape4,
  before: readonly [number, number, number],
  mode: "edge" | "reflect" | "minimum",
): void {
  const low: [number, number, number] = [...before];
  const high: [number, number, number] = [before[0] + shape[0], before[1] + shape[1], before[2] + shape[2]];
  const channels = shape[3];
  const strides = [outShape[1] * outShape[2] * channels, outShape[2] * channels, channels];
  for (let axis = 0; axis < 3; axis++) {
    const [first, end] = [low[axis]!, high[axis]!];
    const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
    for (let i = low[u]!; i < high[u]!; i++) {
      for (let j = low[v]!; j < high[v]!; j++) {
        for (let c = 0; c < channels; c++) {
          const line = i * strides[u]! + j * strides[v]! + c;
          let smallest = output[line + first * strides[axis]!]!;
          if (mode === "minimum") {
            for (let k = first; k < end; k++) smallest = Math.min(smallest, output[line + k * strides[axis]!]!);
          }
          for (let k = 0; k < outShape[axis]!; k++) {
            if (k >= first && k < end) continue;
            const from = mode === "reflect" ? reflectIndex(k - first, end - first) : Math.min(Math.max(k - first, 0), end - first - 1);
            output[line + k * strides[axis]!] = mode === "minimum" ? smallest : output[line + (first + from) * strides[axis]!]!;
          }
        }
      }
    }
    low[axis] = 0;
    high[axis] = outShape[axis]!;
  }
}
