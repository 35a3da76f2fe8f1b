import { EMPTY } from "rxjs";
import type { CaseRef } from "../../core/case.js";
import type { RunContext } from "../../core/run-context.js";
import { SlabPool } from "../../core/slab-pool.js";
import { recordOperators } from "../../operators/operator-link.js";
import { planMemory } from "../../operators/plan-memory.js";
import { createTaskPool } from "../../workers/index.js";
import type { TrainingConfig } from "../config/training-config.js";
import type { BatchSourceOptions } from "./batch-source.js";
import { buildGraph } from "./build-graph.js";
import { caseGraph } from "./case-graph.js";
import type { GraphSettings, SessionListener } from "./graph-messages.js";
import { GraphSession, SLOTS } from "./graph-session.js";

/** A task on small arrays that shows no sign of life for so long is ended and run again: twice this is the longest that it holds up a training. */
const STALL_MS = 30_000;
/** Part of the memory that the validation graph gets for itself: the training graph stands still meanwhile, but keeps what it holds. */
const VALIDATION_SHARE = 0.25;

/** Memory, worker threads and case list that the graphs of one run share. Lives on the thread that runs the graphs. */
export class GraphRunner {
  private readonly tasks: ReturnType<typeof createTaskPool>;
  private readonly pools: Readonly<Record<BatchSourceOptions["mode"], SlabPool>>;
  private readonly sessions = new Set<GraphSession>();
  private readonly planned = new Set<string>();
  /** Cases that have failed, by id, with the reason. */
  private readonly failed = new Map<string, string>();
  private readonly untold = new Set<string>();
  private refs: readonly CaseRef[] | undefined;

  constructor(
    private readonly config: Pick<TrainingConfig, "data" | "graph" | "validation">,
    private readonly settings: GraphSettings,
  ) {
    const { memoryBytes, workers, validates } = settings;
    const kept = validates ? Math.floor(memoryBytes * VALIDATION_SHARE) : 0;
    this.tasks = createTaskPool({ threads: workers, stallTimeout: STALL_MS });
    this.pools = { training: new SlabPool({ budget: memoryBytes - kept }), validation: new SlabPool({ budget: Math.max(1, kept) }) };
  }

  async open(options: BatchSourceOptions, listener: SessionListener): Promise<GraphSession> {
    this.refs ??= await this.config.data.list();
    const { seed, onError, skipBudget, autotune = true } = this.settings;
    const context: RunContext = {
      seed,
      mode: options.mode,
      pool: this.pools[options.mode],
      tasks: this.tasks,
      onError,
      ...(skipBudget !== undefined && { skipBudget }),
    };
    await this.planMemory(options, listener);
    const { validationIds = [], quarantined = [] } = options;
    for (const { id, message } of quarantined) {
      this.failed.set(id, message);
      this.untold.add(id);
    }
    if (validationIds.length > 0) {
      const { patches = true, cases } = this.config.validation ?? {};
      if (patches) await this.planMemory({ mode: "validation", ids: validationIds }, listener);
      if (cases) await this.planMemory({ mode: "validation", ids: validationIds, whole: true }, listener);
    }
    const session = new GraphSession({
      ...options,
      config: this.config,
      refs: this.refs,
      context,
      listener,
      isTuned: autotune,
      failed: this.failed,
      untold: this.untold,
    });
    this.sessions.add(session);
    return session;
  }

  /** Tells once how the memory of a graph is shared, or refuses a budget that cannot work before anything is loaded. */
  private async planMemory(
    { mode, ids, whole = false }: Pick<BatchSourceOptions, "mode" | "ids" | "whole">,
    listener: SessionListener,
  ): Promise<void> {
    const key = `${mode} ${whole}`;
    if (this.planned.has(key)) return;
    this.planned.add(key);
    const { data, graph, validation } = this.config;
    const chosen = (mode === "validation" && validation?.graph) || graph;
    const operators = recordOperators(() => buildGraph(whole ? caseGraph(chosen) : chosen, { cases: EMPTY, mode, classes: data.classes }));
    const wanted = new Set(ids);
    const own = this.refs!.filter(({ id }) => wanted.has(id));
    const slots = whole ? 1 : SLOTS;
    const { budget, least, text } = await planMemory({ operators, data, refs: own, mode, budget: this.pools[mode].budget, slots });
    listener.memory({ graph: mode, budget, least, text: whole ? `${text} (whole cases)` : text });
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()));
    await this.tasks.destroy();
  }
}
