import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EMPTY } from "rxjs";
import { type EngineName, startEngine } from "../../engine/index.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { percentile } from "../../metrics/index.js";
import { recordOperators } from "../../operators/operator-link.js";
import type { TrainingConfig } from "../../training/config/training-config.js";
import { buildGraph } from "../../training/hosting/build-graph.js";
import { inspectGraph } from "../../training/hosting/inspect-graph.js";
import { type StepCost, stepCost } from "../../training/learning/step-cost.js";

/** What a variant takes. */
export interface VariantCost {
  readonly parameters: number | null;
  readonly trainable: number | null;
  /** Tensors of one training step at its peak, in bytes; null when the graph does not say how it cuts patches. */
  readonly peakBytes: number | null;
  /** Median over the steps of all folds, without the first two of each, which warm up. */
  readonly stepMs: number | null;
  /** Training of all folds and seeds together. */
  readonly trainSeconds: number;
  /** Median of the cases. */
  readonly predictSeconds: number | null;
}

const WARM_UP_STEPS = 2;

/** Parameters and peak memory of a variant: measured once, then read from the file. */
export async function staticCost(config: TrainingConfig, path: string): Promise<StepCost | undefined> {
  const { patch } = inspectGraph(config);
  if (!patch) return undefined;
  const operators = recordOperators(() => buildGraph(config.graph, { cases: EMPTY, mode: "training", classes: config.data.classes }));
  const batch = operators.flatMap((operator) => ("batch" in operator ? [operator.batch.size] : [])).at(-1) ?? 1;
  const key = JSON.stringify([config.model.name, config.model.options, config.loss.name, config.training.optimizer ?? "adam", patch, batch]);
  if (existsSync(path)) {
    const saved = JSON.parse(await readFile(path, "utf8")) as StepCost & { readonly key: string };
    if (saved.key === key) return saved;
  }
  await startEngine({
    // The engine checks the name.
    ...(config.engine !== undefined && { engine: config.engine as EngineName | "auto" }),
    ...(config.threads !== undefined && { threads: config.threads }),
  });
  const cost = await stepCost(config, { patch, batch });
  await writeAtomically(path, [Buffer.from(`${JSON.stringify({ key, ...cost })}\n`)]);
  return cost;
}

/** What the folds of a variant took, from their events. */
export async function measuredCost(folds: readonly string[], trainSeconds: number, known: StepCost | undefined): Promise<VariantCost> {
  const steps: number[] = [];
  const predictions: number[] = [];
  for (const folder of folds) {
    const text = await readFile(join(folder, "events.jsonl"), "utf8");
    let inFold = 0;
    for (const line of text.split("\n")) {
      // Most lines are reports of stages, which are long.
      if (line.includes('"type":"step"')) {
        if (++inFold > WARM_UP_STEPS) steps.push((JSON.parse(line) as { stepMs: number }).stepMs);
      } else if (line.includes('"type":"prediction"')) predictions.push((JSON.parse(line) as { seconds: number }).seconds);
    }
  }
  const median = (values: number[]): number | null => (values.length === 0 ? null : percentile(Float64Array.from(values).sort(), 50));
  return {
    parameters: known?.parameters ?? null,
    trainable: known?.trainable ?? null,
    peakBytes: known?.peakBytes ?? null,
    stepMs: median(steps),
    trainSeconds,
    predictSeconds: median(predictions),
  };
}
