import type { CaseRef } from "../../core/case.js";
import type { RunContext } from "../../core/run-context.js";
import { cases } from "../../operators/load/cases.js";
import { type Autotune, autotune, type Run, run } from "../../streams/index.js";
import { Skipped } from "../../streams/skipped.js";
import type { TrainingConfig } from "../config/training-config.js";
import type { BatchSourceOptions } from "./batch-source.js";
import { buildGraph } from "./build-graph.js";
import { caseGraph } from "./case-graph.js";
import { type Delivery, deliver } from "./deliver.js";
import type { SessionListener } from "./graph-messages.js";
import { quarantine } from "./quarantine.js";

/** The batch that is trained on, and one that waits. */
export const SLOTS = 2;
const REPORT_MS = 500;

export interface GraphSessionOptions extends BatchSourceOptions {
  readonly config: Pick<TrainingConfig, "data" | "graph" | "validation">;
  readonly refs: readonly CaseRef[];
  readonly context: RunContext;
  readonly listener: SessionListener;
  readonly isTuned: boolean;
  /** Cases that have failed, by id: shared with the other sessions of the run. */
  readonly failed: Map<string, string>;
  /** Those of them that failed before the run was resumed and are yet to be told. */
  readonly untold: Set<string>;
}

/** One running graph and what its trainer hears of it. Lives on the thread that runs the graph. */
export class GraphSession {
  private readonly running: Run;
  private delivery: Delivery | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly tuner: Autotune;
  private isClosing = false;

  constructor({ config, refs, context, listener, isTuned, failed, untold, mode, ids, epochs, from, whole = false }: GraphSessionOptions) {
    const chosen = (mode === "validation" && config.validation?.graph) || config.graph;
    const makeGraph = whole ? caseGraph(chosen) : chosen;
    const all = cases(config.data, { refs, ids, epochs });
    const usable = context.onError === "skip" ? all.pipe(quarantine(failed)) : all;
    const batches = buildGraph(makeGraph, { cases: usable, mode, classes: config.data.classes });
    const caseIds = new Set(ids);
    const delivered = batches.pipe(
      deliver({
        // A whole case is large: the next one is loaded when this one is done.
        slots: whole ? 1 : SLOTS,
        send: (batch) => listener.batch(batch),
        onBegin: (delivery) => {
          this.delivery = delivery;
        },
      }),
    );
    this.running = run(mode, [delivered], {
      context,
      onSkip: ({ id, stage, message, error }) => {
        const isFault = error instanceof Error && !(error instanceof Skipped);
        // Items in front of the patches have the names of their cases; a patch that fails may be followed by others of its case.
        const isQuarantined = isFault && caseIds.has(id);
        // Told once: when it fails, or when a resumed run leaves it out for the first time.
        if (isQuarantined && stage === "quarantine" && !untold.delete(id)) return;
        if (isQuarantined && !failed.has(id)) failed.set(id, message);
        listener.skip({ id, isQuarantined, stage, message, ...(isFault && error.stack !== undefined && { stack: error.stack }) });
      },
      ...(from && { from }),
    });
    const { graph } = this.running;
    // Heavy work is limited by the threads, whatever the number of jobs; jobs more are for stages that wait for something else, such as the user's own I/O.
    const jobs = graph.nodes.reduce((sum, { knobs }) => sum + (knobs.concurrency ?? 0), 2 * context.tasks.concurrency);
    this.tuner = autotune(graph, { jobs, sink: "trainer", enabled: isTuned });
    const report = (): void =>
      listener.stages({ graph: mode, stages: this.running.reports(), bytesInUse: context.pool.bytesInUse, budget: context.pool.budget });
    this.timer = setInterval(report, REPORT_MS);
    this.timer.unref();
    this.running.done.then(
      () => {
        this.stopTimers();
        if (this.isClosing) return;
        // The last state too: a short validation is over before the first report.
        report();
        listener.end();
      },
      (error) => {
        this.stopTimers();
        if (!this.isClosing) listener.error(error);
      },
    );
  }

  private stopTimers(): void {
    clearInterval(this.timer);
    this.tuner.stop();
  }

  release(batch: number): void {
    this.delivery?.giveBack(batch);
  }

  /** Resolves when no task runs and all memory is back. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.stopTimers();
    await this.running.stop();
    await this.running.done.catch(() => {});
  }
}
