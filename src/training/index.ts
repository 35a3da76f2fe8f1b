export { nearestName } from "../core/nearest-name.js";
export type { BundleDescription, BundleFile, NamedOptions, PreprocessingStep } from "./bundle/bundle-description.js";
export { type ExportBundleOptions, type ExportedBundle, type ExportFormat, exportBundle } from "./bundle/export-bundle.js";
export { type LoadedBundle, loadBundle, readBundleFile } from "./bundle/load-bundle.js";
export { type LoadedCheckpoint, loadCheckpoint } from "./bundle/load-checkpoint.js";
export { saveBundle } from "./bundle/save-bundle.js";
export type { CheckpointFile } from "./bundle/save-checkpoint.js";
export { type ComparisonConfig, defineComparison, type VariantFields, variantConfig } from "./config/define-comparison.js";
export { defineConfig } from "./config/define-config.js";
export { loadComparison, loadConfig } from "./config/load-config.js";
export type {
  CaseValidationOptions,
  CheckpointOptions,
  EarlyStoppingOptions,
  GraphFunction,
  GraphInput,
  InitOptions,
  KeepCasesOptions,
  Split,
  TrainingConfig,
  TrainingOptions,
  ValidationOptions,
} from "./config/training-config.js";
export type { TrainOverrides } from "./config/with-overrides.js";
export { type GraphSummary, inspectGraph } from "./hosting/inspect-graph.js";
export type { QuarantinedCase } from "./hosting/quarantine.js";
export { stageVerdict } from "./hosting/stage-verdict.js";
export { freezeLayers } from "./learning/freeze-layers.js";
export { type InitReport, initWeights } from "./learning/init-weights.js";
export type { OptimizerOptions, OptimizerState } from "./learning/make-optimizer.js";
export type { Ranks } from "./ranks/ranks.js";
export { appendRunEvent } from "./run/append-run-event.js";
export type { PreviewInput, PreviewRenderer } from "./run/preview-input.js";
export { resolveRunFolder } from "./run/resolve-run-folder.js";
export { type OpenRunFolderOptions, type RunEventInput, RunFolder, type RunMark } from "./run/run-folder.js";
export { type CosineOptions, cosine } from "./schedules/cosine.js";
export { type PlateauOptions, plateau } from "./schedules/plateau.js";
export { type PolynomialOptions, polynomial } from "./schedules/polynomial.js";
export type { RunningSchedule, Schedule, ScheduleMoment } from "./schedules/schedule.js";
export { type WarmUpOptions, warmUp } from "./schedules/warm-up.js";
export { type SplitResult, splitCases } from "./split-cases.js";
export { stopOnSignals } from "./stop-on-signals.js";
export { type TrainOptions, type TrainResult, train } from "./train.js";
export type { CallbackContext, TrainingCallback } from "./training-callback.js";
export type { EpochSums, TrainingState } from "./training-state.js";
