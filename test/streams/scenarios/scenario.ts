import type { Observable } from "rxjs";
import { Random } from "../../../src/core/random.js";
import type * as streams from "../../../src/streams/index.js";

/** The module under test: the real one, or a copy with a planted defect. */
export type Streams = typeof streams;
/** Rejects when the property named by its key does not hold. */
export type Scenario = (s: Streams) => Promise<void>;
export type Scenarios = Readonly<Record<string, Scenario>>;

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

export function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** All values of a flow, by a run of their own. */
export async function collect<T>(s: Streams, flow: Observable<T>, options: streams.RunOptions = {}): Promise<{ got: T[]; job: streams.Run }> {
  const got: T[] = [];
  const job = s.run(
    "t",
    [
      flow.pipe(
        s.to((value: T) => {
          got.push(value);
        }),
      ),
    ],
    options,
  );
  await job.done;
  return { got, job };
}

export function reportOf(job: streams.Run, name: string): ReturnType<streams.Run["reports"]>[number] {
  const found = job.reports().find((report) => report.name === name);
  if (!found) throw new Error(`no stage ${name} among ${job.reports().map((report) => report.name)}`);
  return found;
}

/** Subscribes as a graph of its own without `to()`, as a plain subscriber inside a graph would. */
export function within<T>(s: Streams, graph: streams.Graph, action: () => T): T {
  return s.inHop({ ask: () => true, graph, name: "subscriber" }, undefined, action);
}

/**
 * Promises that settle one per turn of the event loop, in an order shuffled by the seed: completion out of order that does not depend on the clock, so
 * that it happens on a busy machine as well.
 */
export function shuffledTurns(seed: number): () => Promise<void> {
  const random = new Random(seed);
  const waiting: (() => void)[] = [];
  const settleOne = (): void => {
    waiting.splice(random.integer(0, waiting.length - 1), 1)[0]?.();
    if (waiting.length > 0) setImmediate(settleOne);
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(settleOne);
      waiting.push(resolve);
    });
}

/** A promise that is settled by hand. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Counts its holders, like a pooled block. */
export class Counted {
  holders = 0;
  isFreed = false;
  constructor(
    readonly value: number,
    readonly all: Counted[] = [],
  ) {
    all.push(this);
  }
  retain(): this {
    if (this.isFreed) throw new Error(`retain of ${this.value} after its release`);
    this.holders++;
    return this;
  }
  release(): void {
    if (this.isFreed) throw new Error(`release of ${this.value} after its release`);
    if (--this.holders <= 0) this.isFreed = true;
  }
}

/** Runs with a clock that stands still but for what the scenario adds to it. */
export async function withClock(action: (clock: { ms: number }) => Promise<void>): Promise<void> {
  const { now } = performance;
  const clock = { ms: 1000 };
  performance.now = () => clock.ms;
  try {
    await action(clock);
  } finally {
    performance.now = now;
  }
}
