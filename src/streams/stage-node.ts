import { type Observable, type Subscriber, Subscription } from "rxjs";
import { describe, errorMessage, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { release, retain } from "../core/retain.js";
import type { StageReport } from "../core/run-events.js";
import type { Demand } from "./demand.js";
import { Graph, type GraphNode } from "./graph.js";
import { askingDemand, inHop, outsideHops, passingItem } from "./hop.js";
import type { Item, ItemIdentity } from "./item.js";
import type { Logic } from "./logic.js";
import { Skipped } from "./skipped.js";
import { StageClock } from "./stage-clock.js";
import { stageError } from "./stage-error.js";
import { StageTraffic } from "./stage-traffic.js";
import { EpochTally } from "./stages/epoch-tally.js";
import { Work, type WorkContext } from "./work-context.js";

interface Outlet<B> {
  readonly subscriber: Subscriber<B>;
  readonly demand: Demand;
  closed: boolean;
}

interface Inlet {
  readonly subscription: Subscription;
  /** Senders that were refused. */
  readonly waiting: Set<() => void>;
  ended: boolean;
}

/** A stage of a running graph: the protocol around a `Logic`. Every subscription makes its own. */
export class StageNode<A, B> implements GraphNode {
  /** Unique among the live stages of the graph; known once the stage is subscribed. */
  name: string;
  graph!: Graph;
  closed = false;
  knobs: Record<string, number> = {};
  /** What the stage counts of its own. */
  counters: (() => Readonly<Record<string, number>>) | undefined;
  waitingFor: string | undefined;
  /** Pieces of outside work of this stage in flight. */
  running = 0;
  held = 0;

  private logic: Logic<A, B> | undefined;
  private readonly inlets: Inlet[];
  private readonly outlets: Outlet<B>[] = [];
  private attached = 0;
  private pumping = false;
  private again = false;
  private isYielding = false;
  private last: Item<B> | undefined;
  private readonly aborts = new Set<AbortController>();
  private readonly to: string[] = [];
  private readonly traffic = new StageTraffic();
  private maxHeld = 0;
  private skipped = 0;
  private readonly clock = new StageClock();
  private readonly tally = new EpochTally();

  constructor(
    name: string,
    private readonly sources: readonly Observable<A>[],
    private readonly outletCount: number,
    private readonly make: (node: StageNode<A, B>) => Logic<A, B>,
  ) {
    this.name = name;
    this.inlets = sources.map(() => ({ subscription: new Subscription(), waiting: new Set<() => void>(), ended: false }));
  }

  /** Whether all inlets have ended. */
  get ended(): boolean {
    return this.inlets.every((inlet) => inlet.ended);
  }

  inletEnded(inlet: number): boolean {
    return this.inlets[inlet]!.ended;
  }

  /**
   * The state that the resume position holds for this stage.
   *
   * @throws `ERR_CHECKPOINT` when it is of another kind of stage.
   */
  resume<S extends Json>(fallback: S, isValid: (state: Json) => boolean): S {
    const state = this.graph.from[this.name];
    if (state === undefined) return fallback;
    if (!isValid(state)) {
      throw new VoxError(`the resume position must come from the same graph, got ${describe(state)} for this stage`, {
        code: "ERR_CHECKPOINT",
        where: this.name,
      });
    }
    // `isValid` has checked what the type says.
    return state as S;
  }

  /** Connects an outlet; the stage starts when the last one is connected. Returns the teardown. */
  attach(index: number, subscriber: Subscriber<B>): () => void {
    if (this.outlets[index]) throw protocolError(this.name, "twice: a branch must be subscribed once, in the run of its other branches");
    const demand = askingDemand() ?? { ask: () => true, graph: this.graph ?? new Graph(), name: "subscriber" };
    this.graph ??= demand.graph;
    this.outlets[index] = { subscriber, demand, closed: false };
    this.to.push(demand.name);
    if (++this.attached === 1) this.name = this.graph.register(this, this.name);
    if (this.attached === this.outletCount) this.start();
    return () => {
      this.outlets[index]!.closed = true;
      if (this.outlets.filter((outlet) => outlet?.closed).length === this.outletCount) {
        this.close();
        return;
      }
      if (!this.closed) this.logic?.left?.(index);
      this.pump();
    };
  }

  /** Moves everything that can move. Recursion is at most one level per stage: a nested call only sets a flag. */
  readonly pump = (): void => {
    if (this.closed || !this.logic) return;
    if (this.pumping) {
      this.again = true;
      return;
    }
    this.pumping = true;
    this.graph.enter();
    outsideHops(this.turn);
    this.graph.leave();
  };

  /** One piece of outside work: counted, timed, with an abort signal of its own. The callbacks come when it has really settled, also after a stop. */
  async work<R>(
    { id, epoch }: ItemIdentity,
    task: (context: WorkContext) => R | Promise<R>,
    settled: (result: R) => void,
    failed: (error: unknown) => void,
  ): Promise<void> {
    const context = new Work(id, epoch, this.graph, this.aborts);
    const began = performance.now();
    let result: { readonly value: R } | undefined;
    let fault: unknown;
    this.running++;
    this.graph.begin();
    try {
      result = { value: await task(context) };
    } catch (error) {
      fault = error;
    }
    context.end();
    this.running--;
    const now = performance.now();
    this.clock.workMs += now - began;
    this.graph.noteTime(now);
    try {
      if (result) settled(result.value);
      else failed(fault);
    } catch (error) {
      this.fail(error, id);
    }
    this.pump();
    this.graph.end();
  }

  /** Synchronous work of the stage, counted as busy time. */
  timed<R>(work: () => R): R {
    const { clock } = this;
    const { state } = clock;
    const began = clock.enter("busy");
    try {
      return work();
    } finally {
      const now = clock.enter(state);
      clock.workMs += now - began;
      this.graph.noteTime(now);
    }
  }

  /** Leaves an item out: counts it, reports it with its reason, and lets go of its memory. */
  skip(item: Item<unknown>, reason: unknown): void {
    this.recordSkip(item, reason);
    release(item.value);
  }

  /** As `skip`, for a stage that has already let go of the memory. */
  recordSkip({ id, epoch }: ItemIdentity, reason: unknown): void {
    this.skipped++;
    this.graph.recordSkip({ stage: this.name, id, epoch, message: errorMessage(reason), ...(reason instanceof Error ? { error: reason } : {}) });
    this.tally.countSkip(epoch);
    this.requireSomethingLeft();
    if (reason instanceof Error && !(reason instanceof Skipped)) this.graph.countFault(id, this.name, reason);
  }

  report(): StageReport {
    const { clock } = this;
    clock.enter();
    return {
      name: this.name,
      to: [...this.to],
      ...this.traffic.report(this.held),
      held: this.held,
      maxHeld: this.maxHeld,
      running: this.running,
      skipped: this.skipped,
      state: clock.state,
      busyMs: clock.spent.busy,
      blockedMs: clock.spent.blocked,
      starvedMs: clock.spent.starved,
      workMs: clock.workMs,
      knobs: { ...this.knobs },
      ...(this.counters && { counters: { ...this.counters() } }),
    };
  }

  readonly fail = (error: unknown, item?: string): void => {
    if (this.closed) return;
    const named = stageError(error, this.name, item);
    this.close((outlet) => outlet.subscriber.error(named));
  };

  private start(): void {
    try {
      this.logic = outsideHops(() => this.make(this));
    } catch (error) {
      this.fail(error);
      return;
    }
    const { logic } = this;
    this.graph.enter();
    this.sources.forEach((source, index) => {
      const inlet = this.inlets[index]!;
      const demand: Demand = {
        graph: this.graph,
        name: this.name,
        ask: (retry) => {
          if (this.closed) return false;
          if (logic.room(index)) return true;
          inlet.waiting.add(retry);
          return false;
        },
      };
      inHop(demand, undefined, () =>
        inlet.subscription.add(
          source.subscribe({
            next: (value) => this.take(value, index),
            error: (error) => this.fail(stageError(error, `in front of ${this.name}`, passingItem()?.id)),
            complete: () => {
              inlet.ended = true;
              this.pump();
            },
          }),
        ),
      );
    });
    this.pump();
    this.graph.leave();
  }

  private take(value: A, inlet: number): void {
    const { logic } = this;
    const hop = passingItem();
    if (!logic) return;
    if (!hop) {
      this.fail(
        protocolError(
          this.name,
          "outside a hop: a plain source or an asynchronous RxJS operator feeds this stage; use source(), mapAsync() or via()",
        ),
      );
      return;
    }
    if (!logic.room(inlet)) {
      this.fail(
        protocolError(
          this.name,
          "without room: an RxJS operator before this stage multiplies items or shares a subscription; use fanOut() or broadcast()",
        ),
        hop.id,
      );
      return;
    }
    this.traffic.take(value);
    retain(value);
    // The hop's own item when no operator in between has made another value.
    const item = (value === hop.value ? hop : { value, id: hop.id, epoch: hop.epoch, at: hop.at }) as Item<A>;
    const outer = this.pumping;
    this.pumping = true;
    try {
      if (this.tally.countItem(item.epoch)) this.requireSomethingLeft();
      outsideHops(() => logic.push(item, inlet));
    } catch (error) {
      release(value);
      this.fail(error, hop.id);
      return;
    } finally {
      this.pumping = outer;
    }
    this.held = logic.size();
    this.maxHeld = Math.max(this.maxHeld, this.held);
    this.pump();
  }

  private readonly turn = (): void => {
    const logic = this.logic!;
    let blocked = false;
    try {
      do {
        this.again = false;
        blocked = false;
        for (let index = 0; index < this.outletCount; index++) {
          const outlet = this.outlets[index]!;
          while (!this.closed && !outlet.closed && logic.ready(index)) {
            if (this.graph.isOverSlice()) {
              this.yieldToEventLoop();
              return;
            }
            if (!outlet.demand.ask(this.pump)) {
              blocked = true;
              break;
            }
            const item = logic.pull(index);
            if (item) this.emit(outlet, item);
          }
        }
        if (this.closed) return;
        this.held = logic.size();
        this.inlets.forEach((inlet, index) => {
          for (const retry of inlet.waiting) {
            if (!logic.room(index)) break;
            inlet.waiting.delete(retry);
            retry();
          }
        });
        // An operator such as bufferCount flushes one item when it completes, so completion too waits for room.
        const isDone = !this.closed && (logic.done ? logic.done() : this.ended && logic.size() === 0);
        if (isDone && !this.again && this.outlets.every((outlet) => outlet.closed || outlet.demand.ask(this.pump))) this.complete();
      } while (this.again && !this.closed);
    } catch (error) {
      this.fail(error);
    } finally {
      this.pumping = false;
      this.clock.enter(this.closed ? "done" : blocked ? "blocked" : this.running > 0 ? "busy" : "starved");
    }
  };

  private emit(outlet: Outlet<B>, item: Item<B>): void {
    this.traffic.give(item.value);
    this.last = item;
    inHop(outlet.demand, item, () => outlet.subscriber.next(item.value));
    release(item.value);
  }

  private yieldToEventLoop(): void {
    if (this.isYielding) return;
    this.isYielding = true;
    this.graph.begin();
    setImmediate(() => {
      this.isYielding = false;
      this.pump();
      this.graph.end();
    });
  }

  private requireSomethingLeft(): void {
    if (!this.tally.isBarren) return;
    const reason = this.graph.skipped.at(-1)?.message ?? "";
    throw new VoxError(`at least one item per epoch must be left, but all ${this.skipped} were skipped; the last one because: ${reason}`, {
      code: "ERR_EMPTY",
      where: this.name,
    });
  }

  private complete(): void {
    this.close((outlet) => outlet.subscriber.complete());
  }

  private close(signalEnd?: (outlet: Outlet<B>) => void): void {
    if (this.closed) return;
    this.closed = true;
    this.clock.enter("done");
    for (const controller of this.aborts) controller.abort(new VoxError("the stage was stopped", { code: "ERR_STOPPED", where: this.name }));
    for (const inlet of this.inlets) inlet.subscription.unsubscribe();
    let end = signalEnd;
    try {
      this.logic?.dispose?.();
    } catch (error) {
      const fault = stageError(error, this.name);
      end = (outlet) => outlet.subscriber.error(fault);
    }
    this.held = 0;
    // In a hop, because bufferCount may emit here and concat or catchError may subscribe the next flow here.
    const item = this.last ?? { value: undefined, id: "", epoch: 0, at: this.graph.from };
    for (const outlet of this.outlets) if (outlet && !outlet.closed) inHop(outlet.demand, item, () => end?.(outlet));
  }
}

function protocolError(stage: string, rest: string): VoxError {
  return new VoxError(`an item must arrive in its own hop and into free room, but one arrived ${rest}`, { code: "ERR_PROTOCOL", where: stage });
}
