export { nearestName } from "../core/nearest-name.js";
export { appendRunEvent } from "./append-run-event.js";
export type { BundleDescription, BundleFile, NamedOptions, PreprocessingStep } from "./bundle-description.js";
export { type CosineOptions, cosine } from "./cosine.js";
export { type ComparisonConfig, defineComparison, type VariantFields, variantConfig } from "./define-comparison.js";
export { defineConfig } from "./define-config.js";
export { type ExportBundleOptions, type ExportedBundle, type ExportFormat, exportBundle } from "./export-bundle.js";
export { freezeLayers } from "./freeze-layers.js";
export { type InitReport, initWeights } from "./init-weights.js";
export { type GraphSummary, inspectGraph } from "./inspect-graph.js";
export { type LoadedBundle, loadBundle, readBundleFile } from "./load-bundle.js";
export { type LoadedCheckpoint, loadCheckpoint } from "./load-checkpoint.js";
export { loadComparison, loadConfig } from "./load-config.js";
export type { OptimizerOptions } from "./make-optimizer.js";
export { type PlateauOptions, plateau } from "./plateau.js";
export { type PolynomialOptions, polynomial } from "./polynomial.js";
export type { PreviewInput, PreviewRenderer } from "./preview-input.js";
export { resolveRunFolder } from "./resolve-run-folder.js";
export { type RunEventInput, RunFolder } from "./run-folder.js";
export { saveBundle } from "./save-bundle.js";
export type { RunningSchedule, Schedule, ScheduleMoment } from "./schedule.js";
export { type SplitResult, splitCases } from "./split-cases.js";
export { stageVerdict } from "./stage-verdict.js";
export { stopOnSignals } from "./stop-on-signals.js";
export { type TrainOptions, type TrainOverrides, type TrainResult, train } from "./train.js";
export type { CallbackContext, TrainingCallback } from "./training-callback.js";
export type {
  CaseValidationOptions,
  CheckpointOptions,
  EarlyStoppingOptions,
  GraphFunction,
  GraphInput,
  InitOptions,
  Split,
  TrainingConfig,
  TrainingOptions,
  ValidationOptions,
} from "./training-config.js";
export { type WarmUpOptions, warmUp } from "./warm-up.js";
