import { EMPTY } from "rxjs";
import { formatBytes } from "../../core/bytes.js";
import type { CaseRef } from "../../core/case.js";
import { isVoxError, VoxError } from "../../core/errors.js";
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
import type { GraphSettings, MemoryNote, SessionListener } from "./graph-messages.js";
import { GraphSession, SLOTS } from "./graph-session.js";

/** A task on small arrays that shows no sign of life for so long is ended and run again: twice this is the longest that it holds up a training. */
const STALL_MS = 30_000;
/** Part of the memory that the validation graph gets for itself: the training graph stands still meanwhile, but keeps what it holds. */
const VALIDATION_SHARE = 0.25;

/** One graph whose memory is planned. */
type PlannedGraph = Pick<BatchSourceOptions, "mode" | "ids" | "whole">;

/** What the graphs of a run share. */
interface Shared {
  readonly workers: number;
  readonly pools: Readonly<Record<BatchSourceOptions["mode"], SlabPool>>;
  /** For people: what lies beside the voxels. */
  readonly beside: string;
  /** Of graphs that were planned while it was found how many workers fit. */
  readonly notes: ReadonlyMap<string, MemoryNote>;
}

function nameOf({ mode, whole = false }: PlannedGraph): string {
  return `${mode} ${whole}`;
}

/** Memory, worker threads and case list that the graphs of one run share. Lives on the thread that runs the graphs. */
export class GraphRunner {
  /** These are made when the first graph is opened. */
  private shared: Promise<Shared> | undefined;
  private tasks: ReturnType<typeof createTaskPool> | undefined;
  private readonly sessions = new Set<GraphSession>();
  private readonly planned = new Set<string>();
  /** Cases that have failed, by id, with the reason. */
  private readonly failed = new Map<string, string>();
  private readonly untold = new Set<string>();
  private refs: readonly CaseRef[] | undefined;

  constructor(
    private readonly config: Pick<TrainingConfig, "data" | "graph" | "validation">,
    private readonly settings: GraphSettings,
  ) {}

  async open(options: BatchSourceOptions, listener: SessionListener): Promise<GraphSession> {
    this.refs ??= await this.config.data.list();
    const { seed, onError, skipBudget, autotune = true } = this.settings;
    const graphs = this.graphsOf(options);
    this.shared ??= this.share(options, graphs);
    const shared = await this.shared;
    this.tasks ??= createTaskPool({ threads: shared.workers, stallTimeout: STALL_MS });
    const context: RunContext = {
      seed,
      mode: options.mode,
      pool: shared.pools[options.mode],
      tasks: this.tasks,
      onError,
      ...(skipBudget !== undefined && { skipBudget }),
    };
    for (const graph of graphs) {
      const name = nameOf(graph);
      if (this.planned.has(name)) continue;
      this.planned.add(name);
      const note = shared.notes.get(name) ?? (await this.planMemory(graph, shared));
      listener.memory(shared.workers < this.settings.workers ? { ...note, text: `${note.text}; ${this.fewer(shared)}` } : note);
    }
    const { quarantined = [] } = options;
    for (const { id, message } of quarantined) {
      this.failed.set(id, message);
      this.untold.add(id);
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

  /** The graph that is opened, and those that will validate what it trains. */
  private graphsOf({ mode, ids, whole = false, validationIds = [] }: BatchSourceOptions): readonly PlannedGraph[] {
    const { patches = true, cases } = this.config.validation ?? {};
    const isValidated = validationIds.length > 0;
    return [
      { mode, ids, whole },
      ...(isValidated && patches ? [{ mode: "validation" as const, ids: validationIds }] : []),
      ...(isValidated && cases ? [{ mode: "validation" as const, ids: validationIds, whole: true }] : []),
    ];
  }

  /** Divides the memory. Where nobody said how many worker threads there shall be, as many are taken as leave the graphs what they need. */
  private async share(options: BatchSourceOptions, graphs: readonly PlannedGraph[]): Promise<Shared> {
    const { workers: most, fewerWorkers = false } = this.settings;
    if (!fewerWorkers || most <= 1) return this.divide(options, most);
    const all = await this.tryWorkers(options, graphs, most);
    if (all) return all;
    let best: Shared | undefined;
    for (let [fits, tooMany] = [0, most]; tooMany - fits > 1; ) {
      const middle = (fits + tooMany) >> 1;
      const tried = await this.tryWorkers(options, graphs, middle);
      if (tried) [best, fits] = [tried, middle];
      else tooMany = middle;
    }
    return best ?? this.divide(options, 1);
  }

  private fewer({ workers }: Shared): string {
    return `${workers} instead of ${this.settings.workers} worker threads, which is what this memory holds`;
  }

  /** The memory as it is divided with so many worker threads; undefined when a graph would not find what it needs. */
  private async tryWorkers(options: BatchSourceOptions, graphs: readonly PlannedGraph[], workers: number): Promise<Shared | undefined> {
    try {
      const shared = await this.divide(options, workers);
      const notes = new Map<string, MemoryNote>();
      for (const graph of graphs) notes.set(nameOf(graph), await this.planMemory(graph, shared));
      return { ...shared, notes };
    } catch (error) {
      if (isVoxError(error) && error.code === "ERR_MEMORY") return undefined;
      throw error;
    }
  }

  /** Takes the worker threads out of the budget, and divides the rest. The trainer's own process and its network are there without any data. */
  private async divide({ mode, ids, whole = false }: BatchSourceOptions, workers: number): Promise<Shared> {
    const { memoryBytes, validates } = this.settings;
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
    return { workers, pools, notes: new Map(), beside: beside.bytes > 0 ? `; ${formatBytes(memoryBytes)} in all, with ${beside.text}` : "" };
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

  /** How the memory of a graph is shared; refuses a budget that cannot work before anything is loaded. */
  private async planMemory({ mode, ids, whole = false }: PlannedGraph, { pools, beside }: Shared): Promise<MemoryNote> {
    const { operators, refs } = this.graphOf(mode, ids, whole);
    const slots = whole ? 1 : SLOTS;
    const { budget, least, text } = await planMemory({ operators, data: this.config.data, refs, mode, budget: pools[mode].budget, slots });
    return { graph: mode, budget, least, text: `${text}${whole ? " (whole cases)" : ""}${beside}` };
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()));
    await this.tasks?.destroy();
  }
}
