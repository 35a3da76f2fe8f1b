export { gridStarts } from "./grid-starts.js";
export { modelDivisor } from "./model-divisor.js";
export { type PredictOptions, type PredictProgress, type PredictResult, predict } from "./predict.js";
export { type PredictCaseOptions, type Prediction, type Predictor, type PredictorOptions, predictor } from "./predictor.js";
export { RollingMerge, type RollingMergeOptions } from "./rolling-merge.js";
export { type Infer, type SlidingWindowOptions, type SlidingWindowResult, slidingWindow } from "./sliding-window.js";
export { type PreprocessedPrediction, undoPreprocessing } from "./undo-preprocessing.js";
