import { VoxError } from "../core/errors.js";
import type { SourceGrid } from "../core/geometry.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { elementCount, formatShape, type Shape4 } from "../core/shape.js";
import { formatOf } from "./formats.js";
import type { VolumeData, WriteOptions } from "./volume-format.js";

/**
 * Writes canonical voxels back onto exactly the grid of a source file: its shape, axis order, affine, form codes and units. The file appears whole or not at all.
 *
 * @shape data (D, H, W, C) canonical
 * @label `kind: "label"` writes the smallest unsigned integer type that holds the values, always 3D
 * @throws `ERR_OPTION`; `ERR_SHAPE` when the data do not fit the grid; `ERR_LABEL` for labels that are no integers from 0 to 2^32 - 1; `ERR_WRITE`;
 * `ERR_FORMAT`
 * @example
 * await writeVolume("predictions/case_00000.nii.gz", labels, [48, 96, 96, 1], header.source, { kind: "label" });
 */
export async function writeVolume(path: string, data: VolumeData, shape: Shape4, grid: SourceGrid, options: WriteOptions): Promise<void> {
  requireKnownOptions("writeVolume", options, ["kind"]);
  const format = formatOf(path);
  const [x, y, z] = grid.axes;
  const wanted: Shape4 = [grid.shape[z.axis], grid.shape[y.axis], grid.shape[x.axis], options.kind === "label" ? 1 : shape[3]];
  if (wanted.some((extent, axis) => extent !== shape[axis]) || data.length !== elementCount(shape)) {
    throw new VoxError(
      `the volume must have shape ${formatShape(wanted)} as on the grid of ${grid.path}, got ${formatShape(shape)} with ${data.length} elements`,
      {
        code: "ERR_SHAPE",
        where: path,
      },
    );
  }
  if (options.kind === "label") requireLabels(path, data);
  if (!format.write) throw new VoxError(`the format must be one that can be written, got ${format.name}`, { code: "ERR_FORMAT", where: path });
  await format.write(path, data, shape, grid, options);
}

function requireLabels(path: string, data: VolumeData): void {
  if (data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Uint32Array) return;
  const odd = data.find((value) => !Number.isInteger(value) || value < 0 || value > 0xffffffff);
  if (odd !== undefined) throw new VoxError(`labels must be integers from 0 to 2^32 - 1, got ${odd}`, { code: "ERR_LABEL", where: path });
}
