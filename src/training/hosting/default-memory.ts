import { totalmem } from "node:os";

const MOST = 8 * 1024 ** 3;

/** Voxel memory when a configuration says nothing: a quarter of the machine's, at most 8 GB. */
export function defaultMemory(): number {
  return Math.min(MOST, Math.floor(totalmem() / 4));
}
