import type { Shape4 } from "../../core/shape.js";
import type { InterpolationOrder } from "../resample-image/reference.js";
import { cubicWeights, splineCoefficients } from "../spline/spline-coefficients.js";
import { eachCoordinate, type SampleCoordinates } from "./sample-coordinates.js";

/** Spline coefficients of one channel for positions -2 … n+1 of every axis. */
function coefficientVolume(input: Float32Array, shape: Shape4, channel: number): Float64Array {
  const extents = [shape[0], shape[1], shape[2]];
  let values = Float64Array.from({ length: input.length / shape[3] }, (_, v) => input[v * shape[3] + channel]!);
  for (let axis = 0; axis < 3; axis++) {
    const from = extents[axis]!;
    const inner = extents.slice(axis + 1).reduce((a, b) => a * b, 1);
    const outer = extents.slice(0, axis).reduce((a, b) => a * b, 1);
    const next = new Float64Array(outer * (from + 4) * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const line = Float64Array.from({ length: from }, (_, k) => values[(o * from + k) * inner + i]!);
        splineCoefficients(line).forEach((value, k) => {
          next[(o * (from + 4) + k) * inner + i] = value;
        });
      }
    }
    values = next;
    extents[axis] = from + 4;
  }
  return values;
}

/** A voxel reaches half a voxel around its center; what lies farther out is outside the image. */
export function isInside(t: number, extent: number): boolean {
  return t >= -0.5 && t <= extent - 0.5;
}

export function sampleImageReference(
  input: Float32Array,
  shape: Shape4,
  output: Float32Array,
  outShape: Shape4,
  coordinates: SampleCoordinates,
  order: InterpolationOrder,
  fill: Float64Array,
): void {
  const [depth, height, width, channels] = shape;
  const clamp = (i: number, extent: number) => Math.min(Math.max(i, 0), extent - 1);
  for (let c = 0; c < channels; c++) {
    const spline = order === 3 ? coefficientVolume(input, shape, c) : undefined;
    const voxel = (z: number, y: number, x: number) =>
      input[((clamp(z, depth) * height + clamp(y, height)) * width + clamp(x, width)) * channels + c]!;
    const coefficient = (z: number, y: number, x: number) => spline![((z + 2) * (height + 4) + y + 2) * (width + 4) + x + 2]!;
    eachCoordinate(outShape, coordinates, (to, z, y, x) => {
      const at = to * channels + c;
      if (!isInside(z, depth) || !isInside(y, height) || !isInside(x, width)) {
        output[at] = fill[c]!;
        return;
      }
      if (order === 0) {
        output[at] = voxel(Math.floor(z + 0.5), Math.floor(y + 0.5), Math.floor(x + 0.5));
        return;
      }
      const [fz, fy, fx] = [Math.floor(z), Math.floor(y), Math.floor(x)];
      const weigh = (f: number) => (order === 1 ? [1 - f, f] : cubicWeights(f));
      const [wz, wy, wx] = [weigh(z - fz), weigh(y - fy), weigh(x - fx)];
      const [first, read] = order === 1 ? [0, voxel] : [-1, coefficient];
      let sum = 0;
      wz.forEach((a, k) => {
        wy.forEach((b, j) => {
          wx.forEach((w, i) => {
            // A tap of weight 0 may lie beyond the coefficients.
            if (a * b * w !== 0) sum += a * b * w * read(fz + first + k, fy + first + j, fx + first + i);
          });
        });
      });
      output[at] = sum;
    });
  }
}
