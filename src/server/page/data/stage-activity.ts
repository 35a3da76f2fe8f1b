import type { StageReport } from "../../../core/run-events.js";
import type { StageMoment } from "../../live/run-record.js";

/** How a stage spent the last half minute, and how fast it was. The three shares add up to 1. */
export interface StageActivity {
  readonly report: StageReport;
  readonly perSecond: number | undefined;
  readonly busy: number;
  readonly blocked: number;
  readonly starved: number;
  /** Share of its allowed parallel jobs that worked. */
  readonly load: number;
  /** Items per second from report to report. */
  readonly rates: readonly number[];
}

const WINDOW_MS = 30_000;
/** A stage that works at its limit, and a trainer that hardly waits; the same limits as those of the verdict in words. */
const SATURATED = 0.8;
const WAITING = 0.05;

/** Speed and shares of time over the last half minute; over the whole run while there is only one report. */
export function stageActivity(report: StageReport, moments: readonly StageMoment[]): StageActivity {
  const own = moments.filter(({ names }) => names.includes(report.name)).map((moment) => ({ moment, i: moment.names.indexOf(report.name) }));
  const rates: number[] = [];
  for (let k = 1; k < own.length; k++) {
    const [a, b] = [own[k - 1]!, own[k]!];
    const seconds = (b.moment.t - a.moment.t) / 1000;
    if (seconds > 0) rates.push((b.moment.passed[b.i]! - a.moment.passed[a.i]!) / seconds);
  }
  const last = own[own.length - 1];
  const recent = own.filter(({ moment }) => moment.t >= (last?.moment.t ?? 0) - WINDOW_MS);
  // Reports may be rarer than the window is long.
  const first = recent.length > 1 ? recent[0] : own[own.length - 2];
  const since = (key: "busyMs" | "blockedMs" | "starvedMs" | "workMs") =>
    Math.max(0, last && first ? last.moment[key][last.i]! - first.moment[key][first.i]! : report[key]);
  const [busy, blocked, starved] = [since("busyMs"), since("blockedMs"), since("starvedMs")];
  const total = busy + blocked + starved || 1;
  const seconds = last && first ? (last.moment.t - first.moment.t) / 1000 : 0;
  return {
    report,
    perSecond: seconds > 0 ? (last!.moment.passed[last!.i]! - first!.moment.passed[first!.i]!) / seconds : undefined,
    busy: busy / total,
    blocked: blocked / total,
    starved: starved / total,
    load: Math.min(1, since("workMs") / (total * Math.max(1, report.knobs.concurrency ?? 1))),
    rates: rates.slice(-40),
  };
}

/** The stage that sets the pace: the trainer when it hardly waits, else the one that works at its limit, if any does. */
export function bottleneck(activities: readonly StageActivity[]): string | undefined {
  const trainer = activities.find(({ report }) => report.name === "trainer");
  if (trainer && Math.max(trainer.report.in, trainer.report.out) > 0 && trainer.starved <= WAITING) return trainer.report.name;
  let hardest: StageActivity | undefined;
  for (const entry of activities) {
    if (entry !== trainer && entry.report.state !== "done" && entry.load >= (hardest?.load ?? SATURATED)) hardest = entry;
  }
  return hardest?.report.name;
}
