import { errorMessage, VoxError } from "../core/errors.js";
import type { RunContext } from "../core/run-context.js";
import type { StageReport } from "../core/run-events.js";
import type { SlabPool } from "../core/slab-pool.js";
import type { Position } from "./position.js";
import type { SkipRecord } from "./skip-record.js";

/** What a graph and its observers know of a stage. */
export interface GraphNode {
  readonly name: string;
  readonly closed: boolean;
  /** Adjustable numbers (concurrency, capacity); call `pump` after a change. */
  readonly knobs: Record<string, number>;
  /** Items inside, as of the last move. */
  readonly held: number;
  /** What the stage waits for outside the graph, such as memory; a graph that stands still because of it says so. */
  readonly waitingFor: string | undefined;
  readonly pump: () => void;
  fail(error: unknown, item?: string): void;
  report(): StageReport;
}

export interface GraphOptions {
  readonly from?: Position;
  readonly context?: RunContext;
  /** Whether standing still is an error; true for graphs that are run from end to end. */
  readonly strict?: boolean;
  readonly onSkip?: (record: SkipRecord) => void;
  /** How long a graph that stands still may wait for memory that others hold. */
  readonly patience?: number;
}

/** Live graphs by the pool that they share: whether all memory that a graph waits for is its own can be said only of a single user. */
const poolUsers = new WeakMap<SlabPool, Set<Graph>>();

/** Longest stretch of work without a turn for timers and I/O. */
const SLICE_MS = 10;
/** Skips that are kept in full; later ones are only counted and reported. */
const KEPT_SKIPS = 10_000;

/** One run of a graph: the register of its stages, the count of outside work, the resume point. */
export class Graph {
  readonly nodes: GraphNode[] = [];
  /** The items left out so far (the first 10 000). */
  readonly skipped: SkipRecord[] = [];
  skippedCount = 0;
  /** Items that were left out because they failed; the same one of several epochs counts once. */
  private readonly faulty = new Set<string>();
  readonly from: Position;
  readonly context: RunContext | undefined;
  /** Pieces of outside work in flight: tasks, timers, consumers. */
  pending = 0;
  private isFinished = false;
  private readonly strict: boolean;
  private readonly onSkip: ((record: SkipRecord) => void) | undefined;
  private depth = 0;
  private sliceBegan = 0;
  private emitted = 0;
  private isLong = false;
  private isInTurn = false;
  private readonly patience: number;
  private patienceTimer: NodeJS.Timeout | undefined;
  private readonly idleWaiters: (() => void)[] = [];

  constructor(
    readonly name = "graph",
    { from = {}, context, strict = false, onSkip, patience = 60_000 }: GraphOptions = {},
  ) {
    this.from = from;
    this.context = context;
    this.strict = strict;
    this.onSkip = onSkip;
    this.patience = patience;
    if (!strict || !context) return;
    const users = poolUsers.get(context.pool) ?? new Set();
    poolUsers.set(context.pool, users.add(this));
  }

  /** The run stops or has ended: standing still is expected from here on. */
  finish(): void {
    this.isFinished = true;
    clearTimeout(this.patienceTimer);
    if (this.context) poolUsers.get(this.context.pool)?.delete(this);
  }

  /** Registers a stage and returns its name, unique among the live stages: a second `shuffle`, in order of subscription, becomes `shuffle#2`. */
  register(node: GraphNode, wanted: string): string {
    const taken = new Set(this.nodes.filter((other) => !other.closed).map((other) => other.name));
    let name = wanted;
    for (let k = 2; taken.has(name); k++) name = `${wanted}#${k}`;
    // A flow that is subscribed again (repeat) takes the place of its ended self, so that reports and memory stay bounded.
    const ended = this.nodes.findIndex((other) => other.name === name);
    if (ended >= 0) this.nodes[ended] = node;
    else this.nodes.push(node);
    return name;
  }

  /** Counts one piece of outside work. Teardown waits for it, and a graph without any that is not finished is stuck. */
  begin(): void {
    this.pending++;
  }

  end(): void {
    if (--this.pending === 0 && this.depth === 0) this.settle();
  }

  /** A stage begins to move items. */
  enter(): void {
    if (this.depth++ > 0) return;
    if (!this.isInTurn) {
      // Promises that settle one after the other never leave the turn of the event loop, so a slice ends only with the turn.
      this.isInTurn = true;
      this.sliceBegan = performance.now();
      this.isLong = false;
      setImmediate(() => {
        this.isInTurn = false;
      });
    }
    if (this.patienceTimer === undefined) return;
    clearTimeout(this.patienceTimer);
    this.patienceTimer = undefined;
  }

  leave(): void {
    if (--this.depth === 0 && this.pending === 0) this.settle();
  }

  /** Whether the event loop should get a turn before the next item; looks at the clock once in 64 items. */
  isOverSlice(): boolean {
    if (!this.isLong && (++this.emitted & 63) === 0) this.noteTime(performance.now());
    return this.isLong;
  }

  /** Somebody who has just looked at the clock says what time it is. */
  noteTime(now: number): void {
    if (now - this.sliceBegan > SLICE_MS) this.isLong = true;
  }

  /** Resolves when no outside work is in flight; after a stop this means that everything is really over. */
  idle(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  recordSkip(record: SkipRecord): void {
    this.skippedCount++;
    if (this.skipped.length < KEPT_SKIPS) this.skipped.push(record);
    this.onSkip?.(record);
  }

  /** @throws `ERR_DATA` when more items have failed than the run allows */
  countFault(id: string, stage: string, error: Error): void {
    const { skipBudget = Number.POSITIVE_INFINITY } = this.context ?? {};
    this.faulty.add(id);
    if (this.faulty.size <= skipBudget) return;
    const names = [...this.faulty].slice(0, 10).join(", ");
    throw new VoxError(
      `at most ${skipBudget} samples may fail (skipBudget), but ${this.faulty.size} did: ${names}; the last one because: ${error.message}`,
      { code: "ERR_DATA", where: stage, cause: error },
    );
  }

  /** An error of code that runs after its stage is over (a generator's `finally`): too late to fail the run, but not silent. */
  warn(where: string, error: unknown): void {
    process.emitWarning(`${where}: ${errorMessage(error)}`, "VoxstreamWarning");
  }

  /** One thread, nothing pending, nothing on the stack: whatever is unfinished now can never move again. */
  private settle(): void {
    for (const wake of this.idleWaiters.splice(0)) wake();
    if (!this.strict || this.isFinished) return;
    const live = this.nodes.filter((node) => !node.closed);
    const last = live.at(-1);
    if (!last) return;
    const waiting = live.find((node) => node.waitingFor !== undefined);
    if (waiting) {
      const isAlone = (this.context && poolUsers.get(this.context.pool)?.size) === 1;
      const holdsMore = live.some((node) => node !== waiting && node.held > 0);
      if (isAlone && holdsMore) this.failForMemory(waiting);
      // Others hold memory, too, and may give it back.
      else this.patienceTimer ??= setTimeout(() => this.failForMemory(waiting), this.patience);
      return;
    }
    const states = live.map((node) => node.report()).map(({ name, held, state }) => `${name} holds ${held} (${state})`);
    last.fail(new VoxError(`the graph is stuck: ${states.join(", ")}`, { code: "ERR_STUCK", where: this.name }));
  }

  private failForMemory(node: GraphNode): void {
    node.fail(new VoxError(`the graph cannot go on: '${node.name}' waits for ${node.waitingFor}`, { code: "ERR_MEMORY", where: this.name }));
  }
}
