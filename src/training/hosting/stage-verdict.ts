import type { StageReport } from "../../core/run-events.js";

/** A stage works as hard as it can when its jobs were busy this share of the time. */
const SATURATED = 0.8;
/** The goal for the trainer: waiting at most this share of its time. */
const WAITING = 0.05;

/**
 * One line on what limits the flow between two looks at the stages: the trainer when it hardly waits, else the stage that works at its limit, with the
 * knob that helps.
 */
export function stageVerdict(before: readonly StageReport[], now: readonly StageReport[]): string {
  const earlier = new Map(before.map((stage) => [stage.name, stage]));
  const shares = now.map((stage) => {
    const then = earlier.get(stage.name);
    const of = (field: "busyMs" | "blockedMs" | "starvedMs" | "workMs"): number => stage[field] - (then?.[field] ?? 0);
    const total = of("busyMs") + of("blockedMs") + of("starvedMs");
    const jobs = Math.max(1, stage.knobs.concurrency ?? 1);
    return { stage, total, starved: total > 0 ? of("starvedMs") / total : 0, load: total > 0 ? of("workMs") / (total * jobs) : 0 };
  });
  const trainer = shares.find(({ stage }) => stage.name === "trainer");
  if (!trainer || trainer.total === 0) return "the graph is starting";
  if (trainer.starved <= WAITING) return "the trainer sets the pace: batches are always ready";
  const hardest = shares.filter(({ stage }) => stage !== trainer.stage).sort((a, b) => b.load - a.load)[0];
  const waits = `the trainer waits ${Math.round(trainer.starved * 100)} % of its time`;
  if (!hardest || hardest.load < SATURATED) return `${waits}; no stage works at its limit: raise prefetch, or memory`;
  const knob = hardest.stage.knobs.concurrency === undefined ? "cache what comes before it" : "raise workers, or cache it";
  return `${waits} for '${hardest.stage.name}', which is busy ${Math.round(Math.min(1, hardest.load) * 100)} %: ${knob}`;
}
