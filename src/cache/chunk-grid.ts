import type { Shape4, Triple } from "../core/shape.js";

/** How an array is cut into chunks: extents of one chunk and number of chunks along each axis. */
export interface ChunkGrid {
  readonly chunk: Triple;
  readonly counts: Triple;
}

/** One chunk: where it begins and how large it is (chunks at the far ends are smaller). */
export interface ChunkBox {
  readonly start: Triple;
  readonly size: Triple;
}

/** Small enough that a crop reads little beside itself, large enough that a record costs less than its bytes. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Cuts an array into chunks that are about as long as wide as high and hold at most 256 KiB: a crop of 80x160x160 then reads about twice its own bytes,
 * and a planar image is cut into planar tiles.
 */
export function chunkGrid(shape: Shape4, bytesPerElement: number): ChunkGrid {
  const chunk: [number, number, number] = [1, 1, 1];
  const bytes = () => chunk[0] * chunk[1] * chunk[2] * shape[3] * bytesPerElement;
  // Doubling the shortest axis that still has room keeps chunks near cubes.
  for (;;) {
    const axis = ([2, 1, 0] as const).filter((a) => chunk[a] < shape[a]).sort((a, b) => chunk[a] - chunk[b])[0];
    if (axis === undefined || bytes() * 2 > CHUNK_BYTES) break;
    chunk[axis] = Math.min(chunk[axis] * 2, shape[axis]);
  }
  const count = (axis: 0 | 1 | 2) => Math.ceil(shape[axis] / chunk[axis]);
  return { chunk, counts: [count(0), count(1), count(2)] };
}

/** Number of a chunk, for keys. */
export function chunkNumber({ counts }: ChunkGrid, z: number, y: number, x: number): number {
  return (z * counts[1] + y) * counts[2] + x;
}

export function chunkBox({ chunk, counts }: ChunkGrid, shape: Shape4, number: number): ChunkBox {
  const x = number % counts[2];
  const y = Math.floor(number / counts[2]) % counts[1];
  const z = Math.floor(number / counts[2] / counts[1]);
  const start: Triple = [z * chunk[0], y * chunk[1], x * chunk[2]];
  const extent = (axis: 0 | 1 | 2) => Math.min(chunk[axis], shape[axis] - start[axis]);
  return { start, size: [extent(0), extent(1), extent(2)] };
}

export function chunkCount({ counts }: ChunkGrid): number {
  return counts[0] * counts[1] * counts[2];
}
