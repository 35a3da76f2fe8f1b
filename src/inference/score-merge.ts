import { VoxError } from "../core/errors.js";
import type { HistoryEntry } from "../core/sample.js";
import { elementCount, formatShape, type Triple } from "../core/shape.js";
import type { LabelArray } from "../kernels/label-array.js";
import type { Prediction } from "./prediction.js";
import type { RawPrediction } from "./predictor.js";
import { undoPreprocessing } from "./undo-preprocessing.js";
import { undoScores } from "./undo-scores.js";

export interface ScoreMergeOptions {
  readonly classes: number;
  readonly mode: "mean" | "vote";
  readonly keepProbabilities: boolean;
}

interface Member extends RawPrediction {
  readonly history: readonly HistoryEntry[];
  readonly weight: number;
}

/**
 * Brings predictions of one case from different grids together on the grid that was loaded: by the weighted mean of their probabilities, or by votes.
 *
 * The mean goes class by class, so beyond what the members themselves predicted it needs two maps of one class on the loaded grid, however many classes
 * there are.
 *
 * @label ties go to the lowest class
 * @throws `ERR_SHAPE` when the members were not made of one image
 * @example
 * const merge = new ScoreMerge({ classes: 3, mode: "mean", keepProbabilities: false });
 * merge.add(raw, sample.history);
 * const { labels } = merge.finish();
 */
export class ScoreMerge {
  private readonly members: Member[] = [];
  private votes: Uint16Array | undefined;
  private voters = 0;
  private shape: Triple | undefined;

  constructor(private readonly options: ScoreMergeOptions) {}

  /** One prediction; `weight` is the number of networks that it is the mean of, or the share of one. Votes have no weight. */
  add(prediction: RawPrediction, history: readonly HistoryEntry[], weight = 1): void {
    if (this.options.mode === "mean") {
      this.members.push({ ...prediction, history, weight });
      return;
    }
    const { classes } = this.options;
    const { labels, shape } = undoPreprocessing({ labels: prediction.labels, shape: prediction.shape, classes, history });
    this.requireShape(shape);
    this.votes ??= new Uint16Array(labels.length * classes);
    this.voters++;
    for (let i = 0; i < labels.length; i++) this.votes[i * classes + labels[i]!]!++;
  }

  finish(): Prediction {
    return this.options.mode === "mean" ? this.mean() : this.majority();
  }

  private mean(): Prediction {
    const { classes, keepProbabilities } = this.options;
    const total = this.members.reduce((sum, { weight }) => sum + weight, 0);
    let best: Float32Array | undefined;
    let labels: LabelArray | undefined;
    let probabilities: Float32Array | undefined;
    for (let label = 0; label < classes; label++) {
      let mean: Float32Array | undefined;
      for (const { scores, shape, history, weight } of this.members) {
        const own = new Float32Array(elementCount(shape));
        for (let i = 0; i < own.length; i++) own[i] = (scores![i * classes + label]! * weight) / total;
        const back = undoScores(own, shape, history, () => false, label === 0 ? weight / total : 0);
        this.requireShape(back.shape);
        if (!mean) mean = back.scores;
        else for (let i = 0; i < mean.length; i++) mean[i]! += back.scores[i]!;
      }
      if (keepProbabilities) {
        probabilities ??= new Float32Array(mean!.length * classes);
        for (let i = 0; i < mean!.length; i++) probabilities[i * classes + label] = mean![i]!;
      }
      if (!best) {
        best = mean!;
        labels = classes <= 256 ? new Uint8Array(best.length) : new Uint16Array(best.length);
        continue;
      }
      for (let i = 0; i < best.length; i++) {
        if (mean![i]! <= best[i]!) continue;
        best[i] = mean![i]!;
        labels![i] = label;
      }
    }
    return { labels: labels!, shape: this.shape!, ...(probabilities && { probabilities }) };
  }

  private majority(): Prediction {
    const { classes, keepProbabilities } = this.options;
    const votes = this.votes!;
    const count = votes.length / classes;
    const labels = classes <= 256 ? new Uint8Array(count) : new Uint16Array(count);
    for (let i = 0; i < count; i++) {
      let most = 0;
      for (let label = 1; label < classes; label++) if (votes[i * classes + label]! > votes[i * classes + most]!) most = label;
      labels[i] = most;
    }
    const probabilities = keepProbabilities ? Float32Array.from(votes, (own) => own / this.voters) : undefined;
    return { labels, shape: this.shape!, ...(probabilities && { probabilities }) };
  }

  private requireShape(shape: Triple): void {
    this.shape ??= shape;
    if (shape.every((extent, axis) => extent === this.shape![axis])) return;
    throw new VoxError(`predictions that are merged must be of one image, ${formatShape(this.shape)}, got ${formatShape(shape)}`, {
      code: "ERR_SHAPE",
      where: "scoreMerge",
    });
  }
}
