import type { LaunchedRanks } from "./launched-ranks.js";

/** Gives each rank of a machine a graphics card of its own, of those that the user or the scheduler lists; must come before an engine loads. */
export function useOwnGpu({ localSize, localRank }: LaunchedRanks, environment: NodeJS.ProcessEnv = process.env): void {
  if (localSize === 1) return;
  const listed = environment.CUDA_VISIBLE_DEVICES?.split(",").map((card) => card.trim());
  if (!listed) environment.CUDA_VISIBLE_DEVICES = String(localRank);
  else if (listed.length >= localSize) environment.CUDA_VISIBLE_DEVICES = listed[localRank]!;
}
