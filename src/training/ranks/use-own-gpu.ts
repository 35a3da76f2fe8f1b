import type { LaunchedRanks } from "./launched-ranks.js";

/** Gives each rank of a machine a graphics card of its own, unless the user has said which; must come before an engine loads. */
export function useOwnGpu({ localSize, localRank }: LaunchedRanks, environment: NodeJS.ProcessEnv = process.env): void {
  if (localSize > 1) environment.CUDA_VISIBLE_DEVICES ??= String(localRank);
}
