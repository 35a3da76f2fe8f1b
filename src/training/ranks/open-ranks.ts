import { launchedRanks } from "./launched-ranks.js";
import { mpiRanks } from "./mpi-ranks.js";
import type { Ranks } from "./ranks.js";
import { singleRank } from "./single-rank.js";

let opened: Promise<Ranks> | undefined;

/** The ranks that this process is one of: those that `mpirun` started, or itself alone. MPI can be begun once in a process. */
export function openRanks(): Promise<Ranks> {
  opened ??= launchedRanks().size > 1 ? mpiRanks() : Promise.resolve(singleRank);
  return opened;
}
