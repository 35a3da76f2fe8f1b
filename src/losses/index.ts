export { type ClassSums, classSums } from "./class-sums.js";
export { type CombinedLossOptions, combinedLoss } from "./combined-loss.js";
export { type CrossEntropyLossOptions, crossEntropyLoss } from "./cross-entropy-loss.js";
export { type DiceLossOptions, diceLoss } from "./dice-loss.js";
export { foregroundOf } from "./foreground-of.js";
export type { Loss, TrainingMetric } from "./loss.js";
export { nameFunction } from "./name-function.js";
export { type SoftDiceOptions, softDice } from "./soft-dice.js";
export { type TverskyLossOptions, tverskyLoss } from "./tversky-loss.js";
