import { EMPTY } from "rxjs";
import { formatBytes } from "../../core/bytes.js";
import type { CaseRef } from "../../core/case.js";
import { VoxError } from "../../core/errors.js";
import type { RunContext } from "../../core/run-context.js";
import { SlabPool } from "../../core/slab-pool.js";
import { type OperatorDescription, recordOperators } from "../../operators/operator-link.js";
import { besideVoxels, planMemory } from "../../operators/plan-memory.js";
import { mostBytes } from "../../operators/process-memory.js";
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
  /** Made when the first graph is opened. */
  private shared: { readonly pools: Readonly<Record<BatchSourceOptions["mode"], SlabPool>>; readonly beside: string } | undefined;
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
    this.tasks = createTaskPool({ threads: settings.workers, stallTimeout: STALL_MS });
  }

  async open(options: BatchSourceOptions, listener: SessionListener): Promise<GraphSession> {
    this.refs ??= await this.config.data.list();
    const { seed, onError, skipBudget, autotune = true } = this.settings;
    this.shared ??= await this.shareMemory(options);
    const { pools } = this.shared;
    const context: RunContext = {
      seed,
      mode: options.mode,
      pool: pools[options.mode],
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

  /** Takes the worker threads out of the budget, and divides the rest. The trainer's own process and its network are there without any data. */
  private async shareMemory({ mode, ids, whole = false }: BatchSourceOptions): Promise<NonNullable<GraphRunner["shared"]>> {
    const { memoryBytes, workers, validates } = this.settings;
    const { operators, refs } = this.graphOf(mode, ids, whole);
    const beside = await besideVoxels({ operators, data: this.config.data, refs, mode, process: { threads: workers, base: 0 } });
    const voxels = mostBytes(memoryBytes, beside);
    if (voxels === 0) {
      throw new VoxError(
        `the memory budget must hold ${beside.text}, and voxels, got ${formatBytes(memoryBytes)}: raise memory, or lower workers or patch size`,
        { code: "ERR_MEMORY", where: mode },
      );
    }
    const kept = validates ? Math.floor(voxels * VALIDATION_SHARE) : 0;
    const pools = { training: new SlabPool({ budget: voxels - kept }), validation: new SlabPool({ budget: Math.max(1, kept) }) };
    return { pools, beside: beside.bytes > 0 ? `; ${formatBytes(memoryBytes)} in all, with ${beside.text}` : "" };
  }

  /** The operators of a graph, and its cases. */
  private graphOf(
    mode: BatchSourceOptions["mode"],
    ids: readonly string[],
    whole: boolean,
  ): { readonly operators: readonly OperatorDescription[]; readonly refs: readonly CaseRef[] } {
    const { data, graph, validation } = this.config;
    const chosen = (mode === "validation" && validation?.graph) || graph;
    const operators = recordOperators(() => buildGraph(whole ? caseGraph(chosen) : chosen, { cases: EMPTY, mode, classes: data.classes }));
    const wanted = new Set(ids);
    return { operators, refs: this.refs!.filter(({ id }) => wanted.has(id)) };
  }

  /** Tells once how the memory of a graph is shared, or refuses a budget that cannot work before anything is loaded. */
  private async planMemory(
    { mode, ids, whole = false }: Pick<BatchSourceOptions, "mode" | "ids" | "whole">,
    listener: SessionListener,
  ): Promise<void> {
    const key = `${mode} ${whole}`;
    if (this.planned.has(key)) return;
    this.planned.add(key);
    const { pools, beside } = this.shared!;
    const { operators, refs } = this.graphOf(mode, ids, whole);
    const slots = whole ? 1 : SLOTS;
    const { budget, least, text } = await planMemory({ operators, data: this.config.data, refs, mode, budget: pools[mode].budget, slots });
    listener.memory({ graph: mode, budget, least, text: `${text}${whole ? " (whole cases)" : ""}${beside}` });
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()));
    await this.tasks.destroy();
  }
}
