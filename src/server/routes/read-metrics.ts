import type { FastifyInstance } from "fastify";
import type { StageReport } from "../../core/run-events.js";
import { ERROR_ANSWERS } from "../answer-schemas.js";
import type { GraphRecord } from "../live/run-record.js";
import type { RunSummary } from "../live/summarize-run.js";
import type { RouteContext } from "../route-context.js";

const GAUGES: readonly (readonly [name: string, help: string, value: (run: RunSummary) => number | undefined])[] = [
  ["voxstream_run_running", "1 while the run writes events", (run) => (run.state === "running" ? 1 : 0)],
  ["voxstream_run_step", "Last training step", (run) => run.step],
  ["voxstream_run_epoch", "Finished epochs", (run) => run.epoch],
  ["voxstream_run_loss", "Loss of the last epoch, or of the last step before it", (run) => run.loss],
  ["voxstream_run_best_score", "Best value of the first validation metric", (run) => run.best?.value],
  ["voxstream_run_remaining_seconds", "Time left as estimated by the trainer", (run) => run.remainingSeconds],
  ["voxstream_run_warnings", "Warnings so far", (run) => run.warnings],
  ["voxstream_run_skipped_samples", "Skipped samples so far", (run) => run.skipped],
  ["voxstream_run_corrupt_lines", "Lines of the event file that could not be read", (run) => run.corruptLines],
];

/** Of each graph of a run that is being written. */
const GRAPH_GAUGES: readonly (readonly [name: string, help: string, value: (latest: GraphRecord["latest"]) => number])[] = [
  ["voxstream_graph_bytes_in_use", "Voxels in the memory pool", ({ bytesInUse }) => bytesInUse],
  ["voxstream_graph_budget_bytes", "Most that the pool may hold", ({ budget }) => budget],
];

/** Of each stage of such a graph; counters begin anew with a session. */
const STAGE_VALUES: readonly (readonly [name: string, type: "counter" | "gauge", help: string, value: (stage: StageReport) => number | undefined])[] =
  [
    ["voxstream_stage_items_in_total", "counter", "Items that came in", (stage) => stage.in],
    ["voxstream_stage_items_out_total", "counter", "Items that went out", (stage) => stage.out],
    ["voxstream_stage_bytes_in_total", "counter", "Voxels that came in", (stage) => stage.bytesIn],
    ["voxstream_stage_bytes_out_total", "counter", "Voxels that went out", (stage) => stage.bytesOut],
    ["voxstream_stage_skipped_total", "counter", "Items that were left out", (stage) => stage.skipped],
    ["voxstream_stage_busy_seconds_total", "counter", "Time at work", (stage) => stage.busyMs / 1000],
    ["voxstream_stage_blocked_seconds_total", "counter", "Time in which the next stage had no room", (stage) => stage.blockedMs / 1000],
    ["voxstream_stage_starved_seconds_total", "counter", "Time without anything to do", (stage) => stage.starvedMs / 1000],
    ["voxstream_stage_work_seconds_total", "counter", "Work of all jobs together", (stage) => stage.workMs / 1000],
    ["voxstream_stage_held_items", "gauge", "Items that it holds", (stage) => stage.held],
    ["voxstream_stage_held_bytes", "gauge", "Voxels that it holds", (stage) => stage.bytesHeld],
    ["voxstream_stage_running_jobs", "gauge", "Jobs at work", (stage) => stage.running],
  ];

/**
 * `GET /metrics`: the runs in the Prometheus text format, and memory and stages of those that are being written.
 *
 * @source Prometheus exposition formats, text format 0.0.4
 */
export function readMetrics(server: FastifyInstance, { catalog }: RouteContext): void {
  const schema = {
    summary: "The state of all runs, and the stages of running ones, in the Prometheus text format.",
    response: { 200: { description: "Gauges.", content: { "text/plain": { schema: { type: "string" } } } }, ...ERROR_ANSWERS },
  };
  server.get("/metrics", { schema }, async (_request, reply) => {
    const runs = catalog.list(Date.now());
    const lines = GAUGES.flatMap(([name, help, value]) => family(name, "gauge", help, runs, (run) => [[`run="${escapeLabel(run.id)}"`, value(run)]]));
    const live = catalog.live(Date.now());
    const graphs = live.flatMap(({ id, record }) =>
      Object.entries(record.graphs).map(([graph, { latest }]) => ({ labels: `run="${escapeLabel(id)}",graph="${escapeLabel(graph)}"`, latest })),
    );
    lines.push(
      ...family("voxstream_run_wait_share", "gauge", "Share of the last epoch in which the trainer waited for batches", live, ({ id, record }) => [
        [`run="${escapeLabel(id)}"`, record.epoch?.waitShare],
      ]),
      ...GRAPH_GAUGES.flatMap(([name, help, value]) => family(name, "gauge", help, graphs, ({ labels, latest }) => [[labels, value(latest)]])),
      ...STAGE_VALUES.flatMap(([name, type, help, value]) =>
        family(name, type, help, graphs, ({ labels, latest }) =>
          latest.stages.map((stage) => [`${labels},stage="${escapeLabel(stage.name)}"`, value(stage)]),
        ),
      ),
    );
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(`${lines.join("\n")}\n`);
  });
}

function family<T>(
  name: string,
  type: "counter" | "gauge",
  help: string,
  sources: readonly T[],
  samples: (source: T) => readonly (readonly [labels: string, value: number | undefined])[],
): string[] {
  const rows = sources.flatMap(samples).flatMap(([labels, value]) => (Number.isFinite(value) ? [`${name}{${labels}} ${value}`] : []));
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...rows];
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
