export { caseStrata } from "./case-strata.js";
export { type CompareOptions, type Comparison, type ComparisonTurn, compare } from "./comparison/compare.js";
export { type ComparisonTableOptions, comparisonTable, type TableRows } from "./comparison/comparison-table.js";
export { holm } from "./comparison/holm.js";
export { type PairedDifference, pairedDifference } from "./comparison/paired-difference.js";
export {
  type ComparedMetric,
  type ComparisonSummary,
  type SummarizeComparisonOptions,
  summarizeComparison,
  type VariantRows,
  type VariantSummary,
} from "./comparison/summarize-comparison.js";
export type { VariantCost } from "./comparison/variant-cost.js";
export { type WilcoxonResult, wilcoxonSignedRank } from "./comparison/wilcoxon-signed-rank.js";
export type { CaseConfusion } from "./confusion/case-confusion.js";
export { sumConfusions } from "./confusion/sum-confusions.js";
export { type WriteConfusionOptions, writeConfusion } from "./confusion/write-confusion.js";
export { type CrossValidateOptions, type CrossValidation, crossValidate } from "./cross-validate.js";
export { type DealSplitsOptions, dealSplits } from "./deal-splits.js";
export { detailedTsv } from "./detailed-tsv.js";
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.js";
export { type EvaluateCaseOptions, evaluateCase } from "./evaluate-case.js";
export { type EvaluateComparisonOptions, evaluateComparison } from "./evaluate-comparison.js";
export { evaluationMetricsTable } from "./evaluation-metrics-table.js";
export {
  type ClassSummary,
  type EvaluationRow,
  type EvaluationSummary,
  type SummarizeEvaluationOptions,
  summarizeEvaluation,
} from "./evaluation-summary.js";
export { evaluationTable } from "./evaluation-table.js";
export { classColor, type Rgb } from "./figures/class-color.js";
export { type ConfusionFigureOptions, confusionFigure } from "./figures/confusion-figure.js";
export { type Curve, type CurveFigureOptions, curveFigure } from "./figures/curve-figure.js";
export { type HistoryFiguresOptions, historyFigures } from "./figures/history-figures.js";
export { type IntensityWindow, intensityWindow } from "./figures/intensity-window.js";
export { type OverlayGifOptions, overlayGif } from "./figures/overlay-gif.js";
export type { OverlayCase, OverlayOptions } from "./figures/overlay-painter.js";
export { type OverlayPngOptions, overlayPng } from "./figures/overlay-png.js";
export { type PreviewContent, type PreviewRendererOptions, previewRenderer } from "./figures/preview-renderer.js";
export { type History, readHistory } from "./figures/read-history.js";
export { type ScatterFigureOptions, type ScatterPoint, scatterFigure } from "./figures/scatter-figure.js";
export { type PlaneName, type SlicePlane, slicePlane } from "./figures/slice-plane.js";
export { tellingSlice } from "./figures/telling-slice.js";
export { labelFiles } from "./label-files.js";
export {
  type ChoosePostprocessingOptions,
  type ClassChoice,
  choosePostprocessing,
  type PostprocessingChoice,
  type RegionChoice,
  type TriedStep,
} from "./postprocessing/choose-postprocessing.js";
export { type ComponentTable, componentTables, type PredictedComponent, postprocessedRegions } from "./postprocessing/component-table.js";
export { type LabelPair, readLabelPair } from "./read-label-pair.js";
export { type Box, type BoxFigureOptions, boxFigure } from "./report/box-figure.js";
export type { HeldOut, OverlayStyle } from "./run-fold.js";
export { type Fold, holdOut, type KFoldOptions, kFold, leaveOneOut, percentageSplit, readSplits, type Splits, saveSplits } from "./splits.js";
export { type StandardMetricsOptions, standardMetrics } from "./standard-metrics.js";
export { summarizeRepeats } from "./summarize-repeats.js";
export { summarizeValues, type ValueSummary } from "./summarize-values.js";
export { type WriteOverlaysOptions, writeOverlays } from "./write-overlays.js";
