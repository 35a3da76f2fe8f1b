import { type Observable, Subscription } from "rxjs";
import { errorMessage, requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { RunContext } from "../core/run-context.js";
import type { StageReport } from "../core/run-events.js";
import { Graph } from "./graph.js";
import { inHop } from "./hop.js";
import type { Position } from "./position.js";
import type { SkipRecord } from "./skip-record.js";

export interface RunOptions {
  /** Where an earlier run of the same graph stopped. */
  readonly from?: Position;
  readonly signal?: AbortSignal;
  readonly context?: RunContext;
  /** Called for every item that a stage leaves out. */
  readonly onSkip?: (record: SkipRecord) => void;
  /** Milliseconds that a graph which can move only when others give memory back waits for that before it fails with `ERR_MEMORY`. */
  readonly patience?: number;
}

export interface Run {
  /**
   * Settles when everything is really over: no task runs and no memory is held. `"stopped"` after `stop()`; rejected with the error of the stage that
   * failed, or with `ERR_STOPPED` after an abort.
   */
  readonly done: Promise<"completed" | "stopped">;
  /** Stops the graph; resolves when the last running task has let go. */
  stop(): Promise<void>;
  readonly graph: Graph;
  /** Position after the last consumed item, over all flows; a later flow's entries win, as `deal` needs it. */
  readonly position: Position;
  /** Position of each flow. */
  readonly positions: readonly Position[];
  reports(): StageReport[];
}

/**
 * Runs one or more flows, each ending in `to()`, as one graph. A graph that can never move again fails with `ERR_STUCK`; it does not hang.
 *
 * @example
 * const trainer = to<Batch>((batch) => console.log(batch.image.shape), { name: "trainer" });
 * const job = run("kits", [batches.pipe(trainer)], { context, signal: AbortSignal.timeout(60_000) });
 * await job.done;
 */
export function run(
  name: string,
  flows: readonly Observable<Position>[],
  { from, signal, context, onSkip, patience, ...unknown }: RunOptions = {},
): Run {
  requireKnownOptions("run", unknown, ["from", "signal", "context", "onSkip", "patience"]);
  requireFlows(flows);
  const graph = new Graph(name, {
    strict: true,
    ...(from && { from }),
    ...(context && { context }),
    ...(onSkip && { onSkip }),
    ...(patience !== undefined && { patience }),
  });
  const positions: Position[] = flows.map(() => graph.from);
  const subscriptions = new Subscription();
  let left = flows.length;
  let settle!: { resolve: (outcome: "completed" | "stopped") => void; reject: (error: unknown) => void };
  const done = new Promise<"completed" | "stopped">((resolve, reject) => {
    settle = { resolve, reject };
  });

  async function teardown(): Promise<void> {
    graph.finish();
    subscriptions.unsubscribe();
    await graph.idle();
  }
  async function stop(): Promise<void> {
    await teardown();
    settle.resolve("stopped");
  }
  async function failWith(error: unknown): Promise<void> {
    await teardown();
    settle.reject(error);
  }
  const complete = (): void => {
    graph.finish();
    settle.resolve("completed");
  };
  const onAbort = (): void => {
    const reason: unknown = signal!.reason;
    void failWith(new VoxError(`the run was stopped: ${errorMessage(reason)}`, { code: "ERR_STOPPED", where: name, cause: reason }));
  };

  // While flows are still being subscribed, standing still is no error.
  graph.begin();
  flows.forEach((flow, index) => {
    inHop({ ask: () => true, graph, name }, undefined, () =>
      subscriptions.add(
        flow.subscribe({
          next: (position) => {
            positions[index] = position;
          },
          error: (error) => void failWith(error),
          complete: () => {
            if (--left === 0) void graph.idle().then(complete);
          },
        }),
      ),
    );
  });
  if (flows.length === 0) complete();
  if (signal?.aborted) onAbort();
  else if (signal) {
    signal.addEventListener("abort", onAbort, { once: true });
    const forget = (): void => signal.removeEventListener("abort", onAbort);
    done.then(forget, forget);
  }
  graph.end();

  return {
    done,
    stop,
    graph,
    positions,
    get position() {
      return Object.assign({}, ...positions) as Position;
    },
    // Stages register from the end of the flow to its beginning.
    reports: () => graph.nodes.map((node) => node.report()).reverse(),
  };
}

function requireFlows(flows: unknown): void {
  requireOption(Array.isArray(flows), "run", "flows", "a list of flows, such as [batches.pipe(to(consume))]", flows);
  for (const [index, flow] of flows.entries()) {
    const isFlow = typeof (flow as { readonly subscribe?: unknown } | undefined)?.subscribe === "function";
    requireOption(isFlow, "run", `flow ${index + 1}`, "an Observable that ends in to(…)", flow);
  }
}
