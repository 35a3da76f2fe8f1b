import type { RunRecord } from "../../live/run-record.js";
import type { Chart, Curve } from "./chart.js";

const COLORS = 8;

/** Draws one curve per run over the epochs; `column` names the value of a run, or none. After the colors have run out lines are dashed. */
export function drawRunCurves(
  chart: Chart,
  runs: readonly { readonly label: string; readonly record: RunRecord }[],
  column: (record: RunRecord) => string | undefined,
): void {
  const curves = runs.flatMap(({ label, record }, i): Curve[] => {
    const name = column(record);
    if (name === undefined) return [];
    const { x, mean } = record.epochs.points(name);
    return [{ label, color: `series-${(i % COLORS) + 1}`, x, y: mean, ...(i >= COLORS ? { look: "dashed" as const } : {}) }];
  });
  chart.update(curves, { log: false, range: undefined });
}

/** The loss of a run that says most about it. */
export function lossColumn({ epochs }: RunRecord): string {
  return epochs.names.includes("validationLoss") ? "validationLoss" : "loss";
}
