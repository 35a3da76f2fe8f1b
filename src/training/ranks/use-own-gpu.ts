import type { LaunchedRanks } from "./launched-ranks.js";

/**
 * Gives each rank of a machine a graphics card of its own, of those that the user or the scheduler lists, else of those that are there; where they are fewer than the
 * ranks, these share them evenly. Must come before an engine loads.
 *
 * @param cards how many the machine has; undefined where nobody knows
 */
export function useOwnGpu({ localSize, localRank }: LaunchedRanks, cards?: number, environment: NodeJS.ProcessEnv = process.env): void {
  if (localSize === 1) return;
  const listed = environment.CUDA_VISIBLE_DEVICES?.split(",").map((card) => card.trim());
  if (listed) environment.CUDA_VISIBLE_DEVICES = listed[localRank % listed.length]!;
  else environment.CUDA_VISIBLE_DEVICES = String(cards ? localRank % cards : localRank);
}
