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

/**
 * About the size of a patch. Each chunk takes 4 µs besides its bytes, and as a process first reads it, it is compared with its checksum as a whole: smaller ones
 * make whole volumes and later crops slower, larger ones the first crops.
 */
const CHUNK_BYTES = 2 * 1024 * 1024;
const CHUNK_VOXELS = 512 * 1024;
/** Longest row. */
const ROW_VOXELS = 256;

/** Cuts an array into chunks of long rows, about as deep as high, that hold at most 2 MiB; a planar image is cut into planar tiles. */
export function chunkGrid(shape: Shape4, bytesPerElement: number): ChunkGrid {
  const largest = Math.min(CHUNK_VOXELS, CHUNK_BYTES / (bytesPerElement * shape[3]));
  const longest = Math.max(1, Math.min(ROW_VOXELS, Math.floor(largest)));
  // Rows of equal length: a short rest would be as dear as a whole row.
  const row = Math.ceil(shape[2] / Math.ceil(shape[2] / longest));
  const chunk: [number, number, number] = [1, 1, row];
  const isRoom = (axis: 0 | 1 | 2) => chunk[axis] < shape[axis] && chunk[0] * chunk[1] * chunk[2] * 2 <= largest;
  for (;;) {
    const axis = ([1, 0] as const).filter(isRoom).sort((a, b) => chunk[a] - chunk[b])[0] ?? ([2] as const).filter(isRoom)[0];
    if (axis === undefined) break;
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
