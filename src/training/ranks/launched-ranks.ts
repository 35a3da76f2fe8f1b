import { availableParallelism, cpus } from "node:os";

/** What `mpirun` says of a process in its environment, before MPI itself is loaded. */
export interface LaunchedRanks {
  readonly size: number;
  readonly rank: number;
  /** The same among the ranks on this machine. */
  readonly localSize: number;
  readonly localRank: number;
  /** Processors for this rank: its share of the machine's, but no more than it is bound to. */
  readonly processors: number;
}

/** The ranks that this process was started with; one without `mpirun`. */
export function launchedRanks(environment: NodeJS.ProcessEnv = process.env): LaunchedRanks {
  const number = (name: string, otherwise: number): number => Number(environment[`OMPI_COMM_WORLD_${name}`] ?? otherwise);
  const size = number("SIZE", 1);
  const localSize = number("LOCAL_SIZE", size);
  return {
    size,
    rank: number("RANK", 0),
    localSize,
    localRank: number("LOCAL_RANK", 0),
    processors: localSize === 1 ? availableParallelism() : Math.max(1, Math.min(availableParallelism(), Math.floor(cpus().length / localSize))),
  };
}
