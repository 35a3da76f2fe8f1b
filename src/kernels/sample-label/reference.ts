import type { Shape4 } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";
import { majorityLabel } from "../resample-label/reference.js";
import { isInside } from "../sample-image/reference.js";
import { eachCoordinate, type SampleCoordinates } from "../sample-image/sample-coordinates.js";

export function sampleLabelReference(
  input: LabelArray,
  shape: Shape4,
  output: LabelArray,
  outShape: Shape4,
  coordinates: SampleCoordinates,
  order: 0 | 1,
  fill: number,
): void {
  const [depth, height, width] = shape;
  const clamp = (i: number, extent: number) => Math.min(Math.max(i, 0), extent - 1);
  const voxel = (z: number, y: number, x: number) => input[(clamp(z, depth) * height + clamp(y, height)) * width + clamp(x, width)]!;
  const corners = new Uint16Array(8);
  const weights = new Float64Array(8);
  eachCoordinate(outShape, coordinates, (to, z, y, x) => {
    if (!isInside(z, depth) || !isInside(y, height) || !isInside(x, width)) {
      output[to] = fill;
      return;
    }
    if (order === 0) {
      output[to] = voxel(Math.floor(z + 0.5), Math.floor(y + 0.5), Math.floor(x + 0.5));
      return;
    }
    const [bz, by, bx] = [Math.floor(z), Math.floor(y), Math.floor(x)];
    const [fz, fy, fx] = [z - bz, y - by, x - bx];
    for (let k = 0; k < 8; k++) {
      corners[k] = voxel(bz + (k >> 2), by + ((k >> 1) & 1), bx + (k & 1));
      weights[k] = (k & 4 ? fz : 1 - fz) * (k & 2 ? fy : 1 - fy) * (k & 1 ? fx : 1 - fx);
    }
    output[to] = majorityLabel(corners, weights);
  });
}
