import type { RunEvent } from "../core/run-events.js";
import { formatDuration } from "./format-duration.js";
import { type ProgressLine, progressLine } from "./progress-line.js";
import { stageTable } from "./stage-table.js";

type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { readonly type: T }>;

/** Steps that the share of waiting is told from. */
const RECENT_STEPS = 20;

/** Tells a training on stderr: a living line of steps with the table of stages below, one lasting line per epoch. */
export interface TrainingReport {
  onEvent(event: RunEvent): void;
  end(): void;
}

export function trainingReport(line: ProgressLine = progressLine()): TrainingReport {
  const began = performance.now();
  let epochs = 0;
  let stepsPerEpoch = 0;
  let stepsBefore = 0;
  let remaining: { readonly seconds: number; readonly at: number } | undefined;
  let table = stageTable();
  const recent: { readonly waitMs: number; readonly stepMs: number }[] = [];

  const left = (): string => {
    if (!remaining) return "";
    return `, ${formatDuration(remaining.seconds - (performance.now() - remaining.at) / 1000)} left`;
  };

  /** Part of the last steps' time in which the trainer waited for its batch. */
  const waitingShare = (): number => {
    const waited = recent.reduce((sum, step) => sum + step.waitMs, 0);
    return waited / Math.max(1e-9, waited + recent.reduce((sum, step) => sum + step.stepMs, 0));
  };

  const onStep = ({ step, epoch, loss, metrics, waitMs, stepMs, remainingSeconds }: EventOf<"step">): void => {
    if (remainingSeconds !== undefined) remaining = { seconds: remainingSeconds, at: performance.now() };
    recent.push({ waitMs, stepMs });
    if (recent.length > RECENT_STEPS) recent.shift();
    const inEpoch = step - stepsBefore;
    const ofEpoch = stepsPerEpoch > 0 ? `/${stepsPerEpoch}` : "";
    line.update(
      `epoch ${epoch}/${epochs} step ${inEpoch}${ofEpoch}: loss ${loss.toFixed(4)}, ${figures(metrics)}${stepMs.toFixed(0)} ms a step, waiting ${(100 * waitingShare()).toFixed(1)} %${left()}`,
      () => table.lines(),
    );
  };

  const onEpoch = (event: EventOf<"epoch">): void => {
    stepsPerEpoch = event.step - stepsBefore;
    stepsBefore = event.step;
    remaining = { seconds: event.remainingSeconds, at: performance.now() };
    const validation =
      event.validationLoss === undefined
        ? ""
        : ` | validation loss ${event.validationLoss.toFixed(4)}, ${figures(event.validationMetrics ?? {})}`.replace(/, $/, "");
    line.end(
      `epoch ${event.epoch}/${epochs}: loss ${event.loss.toFixed(4)}, ${figures(event.metrics)}waiting ${(event.waitShare * 100).toFixed(1)} %${validation} | ${formatDuration((performance.now() - began) / 1000)}${left()}`,
    );
  };

  return {
    onEvent(event) {
      switch (event.type) {
        case "start":
          epochs = event.epochs;
          stepsPerEpoch = event.stepsPerEpoch ?? 0;
          // A run may be resumed in the middle of an epoch.
          stepsBefore = (event.resumedAtStep ?? 0) - ((event.resumedAtStep ?? 0) % (stepsPerEpoch || 1));
          table = stageTable();
          line.end(`training ${event.run} on engine ${event.engine}${event.resumedAtStep ? `, resumed at step ${event.resumedAtStep}` : ""}`);
          break;
        case "step":
          onStep(event);
          break;
        case "epoch":
          onEpoch(event);
          break;
        case "stages":
          if (event.graph !== "validation") table.add(event);
          break;
        case "skip":
          line.end(`skipped ${event.id} in ${event.stage}: ${event.message}`);
          break;
        case "warning":
          line.end(`warning: ${event.message}`);
          break;
        case "memory":
          line.end(`memory: ${event.text}`);
          break;
        case "control":
          line.end(`on request: ${event.command}`);
          break;
        case "preview":
        case "cases":
        case "samples":
        case "system":
        case "checkpoint":
        case "prediction":
        case "evaluation":
        case "end":
          break;
        default:
          event satisfies never;
      }
    },
    end: () => line.end(),
  };
}

/** `softDice 0.812, `: the means; single classes would fill the line. */
function figures(metrics: Readonly<Record<string, number>>): string {
  const means = Object.entries(metrics).filter(([name]) => !/[_:/]/.test(name));
  return means.map(([name, value]) => `${name} ${value.toFixed(3)}, `).join("");
}
