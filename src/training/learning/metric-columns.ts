import * as tf from "@tensorflow/tfjs-core";
import type { TrainingMetric } from "../../losses/index.js";
import { partFigure } from "./part-figure.js";

/** Names for the values of a metric: `softDice` for one number; the mean and `softDice_kidney` and so on for one per class. */
export async function metricColumns(
  metrics: readonly TrainingMetric[],
  logits: tf.Tensor,
  target: tf.Tensor,
  classes: readonly string[],
): Promise<Record<string, number>> {
  const columns: Record<string, number> = {};
  for (const metric of metrics) {
    const result = tf.tidy(() => partFigure("metric", metric.name, () => metric(logits, target)));
    const values = Array.from(await result.data<"float32">());
    result.dispose();
    if (values.length === 1) columns[metric.name] = values[0]!;
    else {
      columns[metric.name] = values.reduce((sum, value) => sum + value, 0) / values.length;
      values.forEach((value, index) => {
        columns[`${metric.name}_${classes[index] ?? index}`] = value;
      });
    }
  }
  return columns;
}
