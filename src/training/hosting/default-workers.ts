import { processMemory } from "../../operators/process-memory.js";

/** Part of the memory that worker threads may take where nobody said how many there shall be. */
const SHARE = 0.25;

/**
 * Worker threads when a configuration says nothing: one fewer than there are processors, as far as a quarter of the memory holds them, at least one. What their
 * kernels need is known when the graph is planned; it may lower the number.
 */
export function defaultWorkers(memoryBytes: number, processors: number): number {
  const { each } = processMemory({ threads: 1, base: 0 }, { thread: 0, graph: 0, isMapped: false });
  return Math.max(1, Math.min(processors - 1, Math.floor((SHARE * memoryBytes) / each)));
}
