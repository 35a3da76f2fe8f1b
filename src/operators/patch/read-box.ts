import { StoredVolume } from "../../cache/stored-volume.js";
import type { DtypeArrays } from "../../core/dtype.js";
import { VoxError } from "../../core/errors.js";
import { elementCount, type Shape4, spatial, type Triple } from "../../core/shape.js";
import { Volume } from "../../core/volume.js";
import type { VoxelSource } from "../../core/voxel-source.js";
import { FileVolume } from "../../io/file-volume.js";
import { copyBox } from "../../kernels/copy-box/copy-box.js";
import { statistics } from "../../kernels/statistics/statistics.js";

type PatchDtype = "float32" | "uint8" | "uint16";

/** Whether a box lies inside an array. */
export function isInside(start: Triple, size: Triple, shape: Shape4): boolean {
  return start.every((first, axis) => first >= 0 && first + size[axis]! <= shape[axis]!);
}

/** Copies a box out of a volume, or out of the cache, where only the chunks that it touches are read. `fill` is for voxels outside. */
export function readBox<D extends PatchDtype>(
  source: VoxelSource<D>,
  start: Triple,
  size: Triple,
  target: DtypeArrays[D],
  fill: number | readonly number[],
): void {
  const { shape } = source;
  const outShape: Shape4 = [...size, shape[3]];
  if (!source.readRegion) {
    if (!(source instanceof Volume)) throw new VoxError("a voxel source must be a volume or have readRegion", { code: "ERR_SHAPE", where: "patch" });
    copyBox(source.data as DtypeArrays[D], shape, target, outShape, start, fill);
    return;
  }
  if (isInside(start, size, shape)) {
    source.readRegion(start, size, target);
    return;
  }
  const low = (axis: 0 | 1 | 2) => Math.min(Math.max(start[axis], 0), shape[axis] - 1);
  const high = (axis: 0 | 1 | 2) => Math.max(Math.min(start[axis] + size[axis], shape[axis]), low(axis) + 1);
  const first: Triple = [low(0), low(1), low(2)];
  const inner: Triple = [high(0) - first[0], high(1) - first[1], high(2) - first[2]];
  const voxels = new (target.constructor as new (length: number) => DtypeArrays[D])(inner[0] * inner[1] * inner[2] * shape[3]);
  source.readRegion(first, inner, voxels);
  copyBox(voxels, [...inner, shape[3]], target, outShape, [start[0] - first[0], start[1] - first[1], start[2] - first[2]], fill);
}

const measured = new WeakMap<object, readonly number[]>();

/** What lies outside an image: the smallest voxel of each channel. Measured once per case. */
export function backgroundOf(image: VoxelSource<"float32">): readonly number[] {
  if (image instanceof StoredVolume || image instanceof FileVolume) return image.minimum;
  let minimum = measured.get(image);
  if (!minimum) {
    minimum = statistics(image instanceof Volume ? image.data : wholeOf(image), { channels: image.shape[3] }).map(({ min }) => min);
    measured.set(image, minimum);
  }
  return minimum;
}

function wholeOf(image: VoxelSource<"float32">): Float32Array {
  const voxels = new Float32Array(elementCount(image.shape));
  readBox(image, [0, 0, 0], spatial(image.shape), voxels, 0);
  return voxels;
}
