import { requireKnownOptions } from "../core/require-known-options.js";
import type { StageReport } from "../core/run-events.js";

/** What happened to a stage in a stretch of time, as shares of it. */
interface Load {
  readonly report: StageReport;
  readonly busy: number;
  readonly blocked: number;
  readonly starved: number;
  /** Work per job slot: 1 = all jobs ran all the time. */
  readonly use: number;
}

export interface VerdictOptions {
  /** Earlier reports of the same run; then the verdict is about the time since. */
  readonly before?: readonly StageReport[];
  /** Name of the stage that consumes, such as the trainer; default: the ones that feed no stage. */
  readonly sink?: string;
  readonly bytesInUse?: number;
  readonly budget?: number;
}

/** A consumer that waits less than this share of its time counts as fed. */
const FED = 0.05;
const SATURATED = 0.75;

/**
 * One line that names the bottleneck of a running graph and the knob that widens it. The bottleneck is the stage that is saturated while the stages behind it
 * starve and the ones before it are blocked.
 *
 * @source FFCV performance guide, table of bottlenecks and knobs; tf.data, stage-based autotuning (Murray et al. 2021)
 */
export function verdict(reports: readonly StageReport[], { before = [], sink, bytesInUse, budget, ...unknown }: VerdictOptions = {}): string {
  requireKnownOptions("verdict", unknown, ["before", "sink", "bytesInUse", "budget"]);
  const loads = reports.map((report) =>
    loadOf(
      report,
      before.find((other) => other.name === report.name),
    ),
  );
  const names = new Set(reports.map((report) => report.name));
  const sinks = loads.filter(({ report }) => (sink === undefined ? !report.to.some((name) => names.has(name)) : report.name === sink));
  const end = sinks.sort((a, b) => b.starved - a.starved)[0];
  if (!end) return "no stages";
  if (reports.every((report) => report.state === "done")) return "done";
  if (end.report.in === 0 && end.busy === 0) return `warming up: nothing has reached ${end.report.name} yet`;
  if (end.starved <= FED) {
    return `${end.report.name} is the bottleneck (${percent(end.busy)} busy): loading keeps up; only a faster ${end.report.name} shortens the run`;
  }
  const waits = `${end.report.name} waits ${percent(end.starved)} of its time`;
  const inner = loads.filter((load) => !sinks.includes(load));
  const worst = inner.filter(({ use }) => use > SATURATED).sort((a, b) => b.use - a.use)[0];
  if (worst) {
    const { report } = worst;
    const { concurrency } = report.knobs;
    const knob =
      concurrency === undefined ? `make ${report.name} cheaper, or cache its results` : `raise its concurrency (${concurrency}) or cache its results`;
    return `${waits}; the bottleneck is ${report.name} (${percent(worst.use)} used): ${knob}`;
  }
  if (budget !== undefined && bytesInUse !== undefined && bytesInUse > 0.9 * budget) {
    return `${waits}; memory is the bottleneck (${percent(bytesInUse / budget)} of the budget): raise memory, or lower the shuffle window and prefetch`;
  }
  const queue = inner.find(({ report, blocked, starved }) => report.knobs.capacity !== undefined && blocked > 0.2 && starved > 0.2);
  if (queue) return `${waits}; the flow is uneven: raise the capacity (${queue.report.knobs.capacity}) of ${queue.report.name}`;
  return `${waits}; no stage is saturated: the time goes into reading; raise concurrency where the graph reads`;
}

function loadOf(report: StageReport, before: StageReport | undefined): Load {
  const busyMs = report.busyMs - (before?.busyMs ?? 0);
  const blockedMs = report.blockedMs - (before?.blockedMs ?? 0);
  const starvedMs = report.starvedMs - (before?.starvedMs ?? 0);
  const total = Math.max(busyMs + blockedMs + starvedMs, 1e-9);
  const workMs = report.workMs - (before?.workMs ?? 0);
  return {
    report,
    busy: busyMs / total,
    blocked: blockedMs / total,
    starved: starvedMs / total,
    use: workMs / total / (report.knobs.concurrency ?? 1),
  };
}

function percent(share: number): string {
  return `${Math.round(100 * Math.min(1, share))} %`;
}
