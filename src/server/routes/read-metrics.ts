import type { FastifyInstance } from "fastify";
import { ERROR_ANSWERS } from "../answer-schemas.js";
import type { RouteContext } from "../route-context.js";
import type { RunSummary } from "../summarize-run.js";

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

/**
 * `GET /metrics`: the runs in the Prometheus text format.
 *
 * @source Prometheus exposition formats, text format 0.0.4
 */
export function readMetrics(server: FastifyInstance, { catalog }: RouteContext): void {
  const schema = {
    summary: "The state of all runs in the Prometheus text format.",
    response: { 200: { description: "Gauges.", content: { "text/plain": { schema: { type: "string" } } } }, ...ERROR_ANSWERS },
  };
  server.get("/metrics", { schema }, async (_request, reply) => {
    const runs = catalog.list(Date.now());
    const lines = GAUGES.flatMap(([name, help, value]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} gauge`,
      ...runs.flatMap((run) => {
        const current = value(run);
        return typeof current === "number" && Number.isFinite(current) ? [`${name}{run="${escapeLabel(run.id)}"} ${current}`] : [];
      }),
    ]);
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(`${lines.join("\n")}\n`);
  });
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
