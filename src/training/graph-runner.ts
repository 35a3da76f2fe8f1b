import type { CaseRef } from "../core/case.js";
import type { RunContext } from "../core/run-context.js";
import { SlabPool } from "../core/slab-pool.js";
import { createTaskPool } from "../workers/index.js";
import type { BatchSourceOptions } from "./batch-source.js";
import type { GraphSettings, SessionListener } from "./graph-messages.js";
import { GraphSession } from "./graph-session.js";
import type { TrainingConfig } from "./training-config.js";

/** Part of the memory that the validation graph gets for itself: the training graph stands still meanwhile, but keeps what it holds. */
const VALIDATION_SHARE = 0.25;

/** Memory, worker threads and case list that the graphs of one run share. Lives on the thread that runs the graphs. */
export class GraphRunner {
  private readonly tasks: ReturnType<typeof createTaskPool>;
  private readonly pools: Readonly<Record<BatchSourceOptions["mode"], SlabPool>>;
  private readonly sessions = new Set<GraphSession>();
  private refs: readonly CaseRef[] | undefined;

  constructor(
    private readonly config: Pick<TrainingConfig, "data" | "graph" | "validation">,
    private readonly settings: GraphSettings,
  ) {
    const { memoryBytes, workers, validates } = settings;
    const kept = validates ? Math.floor(memoryBytes * VALIDATION_SHARE) : 0;
    this.tasks = createTaskPool({ threads: workers });
    this.pools = { training: new SlabPool({ budget: memoryBytes - kept }), validation: new SlabPool({ budget: Math.max(1, kept) }) };
  }

  async open(options: BatchSourceOptions, listener: SessionListener): Promise<GraphSession> {
    this.refs ??= await this.config.data.list();
    const { seed, onError } = this.settings;
    const context: RunContext = { seed, mode: options.mode, pool: this.pools[options.mode], tasks: this.tasks, onError };
    const session = new GraphSession({ ...options, config: this.config, refs: this.refs, context, listener });
    this.sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()));
    await this.tasks.destroy();
  }
}
