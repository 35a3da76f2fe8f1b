import type { Observable } from "rxjs";
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

/** Settles in shuffled order: item i after a time that has nothing to do with i. */
export function jitter(value: number, ms = 3): Promise<void> {
  return sleep(((value * 7919) % 13) * (ms / 13));
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
