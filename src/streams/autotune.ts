import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { StageReport } from "../core/run-events.js";
import type { Graph, GraphNode } from "./graph.js";

export interface AutotuneOptions {
  /** Jobs that all stages together may run at once. */
  readonly jobs: number;
  /** Name of the consumer whose waiting is to go away. */
  readonly sink?: string;
  readonly everyMs?: number;
  /** Most that a `prefetch` may hold. */
  readonly maxPrefetch?: number;
  /** `false` leaves all knobs as they are. */
  readonly enabled?: boolean;
}

export interface Autotune {
  stop(): void;
  /** What was changed, such as `load: 2 jobs`; the last 100 changes. */
  readonly changes: readonly string[];
}

interface Observed {
  readonly report: StageReport;
  /** Windows in a row in which a stage had jobs to spare. */
  calm: number;
}

/** Share of a window that the consumer may wait before something is done about it. */
const HUNGRY = 0.05;
const SATURATED = 0.75;
const SLACK = 0.6;
const CALM_WINDOWS = 4;
/** Share of the memory budget beyond which no prefetch grows. */
const ROOM = 0.6;

/**
 * Turns the knobs of a running graph: when the consumer waits, the most saturated stage gets one job more, within a limit over all stages; when it is fed,
 * stages that use little give jobs back. A prefetch that was full and later empty within one window doubles. Outputs of ordered stages do not depend on the
 * knobs, so tuning never changes a result.
 *
 * @throws `ERR_OPTION`
 * @source tf.data, stage-based autotuning and autotuned prefetch (Murray et al. 2021)
 */
export function autotune(
  graph: Graph,
  { jobs, sink = "sink", everyMs = 250, maxPrefetch = 16, enabled = true, ...unknown }: AutotuneOptions,
): Autotune {
  requireKnownOptions("autotune", unknown, ["jobs", "sink", "everyMs", "maxPrefetch", "enabled"]);
  requireOption(Number.isInteger(jobs) && jobs >= 1, "autotune", "jobs", "an integer >= 1", jobs);
  requireOption(everyMs > 0, "autotune", "everyMs", "> 0 ms", everyMs);
  const changes: string[] = [];
  if (!enabled) return { stop: () => {}, changes };
  const observed = new Map<GraphNode, Observed>();
  let last = performance.now();

  function turn(node: GraphNode, knob: "concurrency" | "capacity", value: number): void {
    const unit = knob === "concurrency" ? "jobs" : "held";
    // Finished results may wait in a slot while the next job runs; the stage keeps the slack that it was given, and at least one slot of it.
    if (knob === "concurrency") node.knobs.capacity = value + Math.max(1, node.knobs.capacity! - node.knobs.concurrency!);
    node.knobs[knob] = value;
    node.pump();
    changes.push(`${node.name}: ${value} ${unit}`);
    if (changes.length > 100) changes.shift();
  }

  function step(): void {
    const now = performance.now();
    const span = now - last;
    last = now;
    const rows = graph.nodes
      .filter((node) => !node.closed)
      .map((node) => {
        const report = node.report();
        const seen = observed.get(node) ?? { report, calm: 0 };
        observed.set(node, { report, calm: seen.calm });
        const since = (field: "workMs" | "starvedMs" | "blockedMs"): number => (report[field] - seen.report[field]) / span;
        const { concurrency } = report.knobs;
        return {
          node,
          concurrency: concurrency ?? 0,
          use: concurrency ? since("workMs") / concurrency : 0,
          starved: since("starvedMs"),
          blocked: since("blockedMs"),
        };
      });
    for (const node of observed.keys()) if (node.closed) observed.delete(node);
    const consumer = rows.find((row) => row.node.name === sink);
    if (!consumer) return;
    const workers = rows.filter((row) => row.concurrency > 0);
    if (consumer.starved > HUNGRY) {
      const pool = graph.context?.pool;
      const isRoom = !pool || pool.bytesInUse < ROOM * pool.budget;
      for (const { node, starved, blocked } of rows) {
        const { concurrency, capacity } = node.knobs;
        const isUneven = starved > 0.2 && blocked > 0.2;
        if (isRoom && concurrency === undefined && capacity !== undefined && isUneven && capacity < maxPrefetch) {
          turn(node, "capacity", Math.min(maxPrefetch, 2 * capacity));
        }
      }
      const total = workers.reduce((sum, row) => sum + row.concurrency, 0);
      const worst = workers.filter((row) => row.use > SATURATED).sort((a, b) => b.use - a.use)[0];
      if (worst && total < jobs) turn(worst.node, "concurrency", worst.concurrency + 1);
      for (const row of workers) observed.get(row.node)!.calm = 0;
      return;
    }
    for (const row of workers) {
      const entry = observed.get(row.node)!;
      entry.calm = row.use < SLACK && row.concurrency > 1 ? entry.calm + 1 : 0;
      if (entry.calm < CALM_WINDOWS) continue;
      entry.calm = 0;
      turn(row.node, "concurrency", row.concurrency - 1);
    }
  }

  const timer = setInterval(step, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer), changes };
}
