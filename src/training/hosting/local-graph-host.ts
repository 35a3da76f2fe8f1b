import type { TrainingConfig } from "../config/training-config.js";
import { BatchQueue } from "./batch-queue.js";
import type { GraphHost } from "./batch-source.js";
import type { GraphSettings, MemoryNote, SkipNote, StageNote } from "./graph-messages.js";
import { GraphRunner } from "./graph-runner.js";
import type { GraphSession } from "./graph-session.js";

export interface GraphHostListener {
  skip(note: SkipNote): void;
  stages(note: StageNote): void;
  memory(note: MemoryNote): void;
}

/** Runs graphs in the trainer's own thread: for configurations that are objects of the program and not files. Heavy work still runs in worker threads. */
export function localGraphHost(config: TrainingConfig, settings: GraphSettings, { skip, stages, memory }: GraphHostListener): GraphHost {
  const runner = new GraphRunner(config, settings);
  return {
    async open(options) {
      // A graph may deliver its first batch while it is being opened.
      let session: GraphSession | undefined;
      const queue = new BatchQueue({ release: (batch) => session?.release(batch), close: async () => session?.close() });
      session = await runner.open(options, {
        batch: (batch) => queue.push(batch),
        end: () => queue.end(),
        error: (error) => queue.fail(error),
        skip,
        stages,
        memory,
      });
      return queue;
    },
    close: () => runner.close(),
  };
}
