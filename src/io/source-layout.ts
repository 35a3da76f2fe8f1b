import type { SourceGrid } from "../core/geometry.js";
import type { DecodePlan } from "../kernels/decode/reference.js";

/** Where each voxel of a file, in file order, lies in the canonical `[depth, height, width, channels]` array. */
export function sourceLayout(grid: Pick<SourceGrid, "shape" | "axes">, channels: number): Pick<DecodePlan, "shape" | "offset" | "strides"> {
  const [x, y, z] = grid.axes;
  const width = grid.shape[x.axis];
  const height = grid.shape[y.axis];
  const strides: [number, number, number, number] = [0, 0, 0, 1];
  let offset = 0;
  const place = ({ axis, flipped }: (typeof grid.axes)[number], step: number): void => {
    strides[axis] = flipped ? -step : step;
    if (flipped) offset += step * (grid.shape[axis] - 1);
  };
  place(x, channels);
  place(y, width * channels);
  place(z, height * width * channels);
  return { shape: [...grid.shape, channels], offset, strides };
}
