import type { BucketTable, CurvePoints } from "./bucket-table.js";
import type { RunRecord } from "./run-record.js";

/** The pictures of curves that there are. */
export const RUN_CURVES = ["loss", "scores", "learning-rate", "time"] as const;
export type RunCurves = (typeof RUN_CURVES)[number];

/** Curves over one axis, NaN where a curve has no value. */
export interface CurveSeries {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly x: readonly number[];
  readonly curves: readonly { readonly name: string; readonly values: readonly number[] }[];
}

const MOST_CURVES = 8;

/** What a picture of a run's curves shows; undefined while nothing of it is recorded. */
export function curveSeries({ steps, epochs }: Pick<RunRecord, "steps" | "epochs">, which: RunCurves): CurveSeries | undefined {
  switch (which) {
    case "loss":
      return series("Loss", "Step", "", [
        ["training", steps.points("loss")],
        ["validation", atSteps(epochs, "validationLoss")],
      ]);
    case "scores": {
      const names = epochs.names.filter((name) => name.startsWith("validation/"));
      const shown = (names.length > 0 ? names : epochs.names.filter((name) => name.startsWith("metric/"))).slice(0, MOST_CURVES);
      const curves = shown.map((name) => [name.slice(name.indexOf("/") + 1).replaceAll("_", " "), epochs.points(name)] as const);
      return series(names.length > 0 ? "Validation scores" : "Training scores", "Epoch", "", curves);
    }
    case "learning-rate":
      return series("Learning rate", "Step", "", [["learning rate", steps.points("learningRate")]]);
    case "time":
      return series("Time per step", "Step", "ms", [
        ["whole step", steps.points("stepMs")],
        ["waiting for the batch", steps.points("waitMs")],
      ]);
    default:
      return which satisfies never;
  }
}

function series(title: string, xLabel: string, yLabel: string, named: readonly (readonly [string, Pick<CurvePoints, "x" | "mean">])[]) {
  const known = named.filter(([, { x }]) => x.length > 0);
  if (known.length === 0) return undefined;
  const x = [...new Set(known.flatMap(([, points]) => points.x))].sort((a, b) => a - b);
  const curves = known.map(([name, points]) => {
    const at = new Map(points.x.map((value, i) => [value, points.mean[i]!]));
    return { name, values: x.map((value) => at.get(value) ?? Number.NaN) };
  });
  return { title, xLabel, yLabel, x, curves };
}

/** An epoch column at the steps at which the epochs ended. */
function atSteps(epochs: BucketTable, name: string): Pick<CurvePoints, "x" | "mean"> {
  const at = epochs.points("step");
  const stepOf = new Map(at.x.map((epoch, i) => [epoch, at.max[i]!]));
  const { x, mean } = epochs.points(name);
  return { x: x.map((epoch) => stepOf.get(epoch) ?? epoch), mean };
}
