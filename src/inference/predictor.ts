import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { VoxError } from "../core/errors.js";
import type { Sample } from "../core/sample.js";
import { elementCount, formatShape, spatial, type Triple } from "../core/shape.js";
import type { VoxelSource } from "../core/voxel-source.js";
import type { LabelArray } from "../kernels/label-array.js";
import { MergeMemory } from "./merge-memory.js";
import { modelDivisor } from "./model-divisor.js";
import { type Infer, type SlidingWindowOptions, slidingWindow } from "./sliding-window.js";
import { undoPreprocessing } from "./undo-preprocessing.js";

export interface PredictorOptions extends Pick<SlidingWindowOptions, "overlap" | "weighting" | "batchSize" | "flips"> {
  /** Gives logits, one channel per class. */
  readonly model: tfl.LayersModel;
  /** Window: a size; `"full"` predicts each case in one piece, padded to what the network's poolings need. Default: the size that the model was built for. */
  readonly patch?: Triple | "full";
  /** Also give the probabilities. */
  readonly keepProbabilities?: boolean;
}

export interface Prediction {
  /** On the grid that was loaded, canonical orientation. */
  readonly labels: LabelArray;
  readonly shape: Triple;
  /** Mean probabilities `(D, H, W, classes)`, when asked for. */
  readonly probabilities?: Float32Array;
}

export interface PredictCaseOptions extends Pick<SlidingWindowOptions, "onPatch" | "signal"> {}

/** Predicts one preprocessed case. */
export type Predictor = (sample: Sample, options?: PredictCaseOptions) => Promise<Prediction>;

/**
 * Makes a function that predicts whole cases: windows through the model, the mean of their probabilities (softmax of the logits), the class of the
 * largest mean, and back over the preprocessing in the sample's history.
 *
 * @shape sample image (D, H, W, C) → labels on the grid in front of the preprocessing
 * @label ties go to the lowest class
 * @throws `ERR_MODEL` when patch, channels and network do not fit each other
 * @example
 * const predictCase = predictor({ model, patch: [32, 64, 64] });
 * const { labels } = await predictCase(sample);
 */
export function predictor({ model, patch: wanted, keepProbabilities = false, ...window }: PredictorOptions): Predictor {
  const input = model.inputs[0]!.shape;
  const output = model.outputs[0]!.shape;
  const dimensions = input.length - 2;
  const classes = output.at(-1);
  const channels = input.at(-1);
  if (model.inputs.length !== 1 || (dimensions !== 2 && dimensions !== 3) || typeof classes !== "number" || typeof channels !== "number") {
    throw new VoxError(
      `the model must have one input [batch, (depth,) height, width, channels] and a known number of classes, got ${JSON.stringify(input)} to ${JSON.stringify(output)}`,
      {
        code: "ERR_MODEL",
        where: "predictor",
      },
    );
  }
  const own = dimensions === 2 ? [1, ...input.slice(1, -1)] : input.slice(1, -1);
  const isFixed = own.every((extent) => extent !== null);
  const patch = wanted ?? (isFixed ? (own as unknown as Triple) : undefined);
  if (patch === undefined)
    throw new VoxError(`patch must be given for a model without a fixed input size, ${JSON.stringify(input)}`, {
      code: "ERR_MODEL",
      where: "predictor",
    });
  const divisor = modelDivisor(model);
  if (patch === "full") {
    if (own.slice(3 - dimensions).some((extent) => extent !== null)) {
      throw new VoxError(`patch must be ${formatShape(own as number[])}, the size that the model is fixed to, got "full"`, {
        code: "ERR_MODEL",
        where: "predictor",
      });
    }
  } else requirePatch(patch, own, divisor);

  const infer = inferWith(model, dimensions, channels, classes);
  const memory = new MergeMemory();
  return async (sample, { onPatch, signal } = {}) => {
    const { image } = sample;
    if (image.shape[3] !== channels) {
      throw new VoxError(`the image must have the ${channels} channels of the model, got ${image.shape[3]}`, {
        code: "ERR_SHAPE",
        where: "predictor",
        sampleId: sample.id,
      });
    }
    const shape = spatial(image.shape);
    const size = patch === "full" ? fullPatch(shape, divisor, dimensions) : patch;
    const { labels, scores } = await slidingWindow(voxelsOf(image), image.shape, {
      ...window,
      infer: infer(size),
      classes,
      patch: size,
      keepScores: keepProbabilities,
      memory,
      ...(onPatch && { onPatch }),
      ...(signal && { signal }),
    });
    return undoPreprocessing({ labels, ...(scores && { probabilities: scores }), shape, classes, history: sample.history });
  };
}

function requirePatch(patch: Triple, own: readonly (number | null)[], divisor: Triple): void {
  if (own.some((extent, axis) => extent !== null && extent !== patch[axis])) {
    throw new VoxError(
      `patch must be ${own.map((extent) => extent ?? "any").join("x")}, the size that the model is fixed to, got ${formatShape(patch)}`,
      {
        code: "ERR_MODEL",
        where: "predictor",
      },
    );
  }
  // The size that a network was built for fits, whatever unknown layers it has.
  if (patch.some((extent, axis) => own[axis] === null && extent % divisor[axis]! !== 0)) {
    throw new VoxError(`patch must be divisible by ${formatShape(divisor)}, the poolings of the model, got ${formatShape(patch)}`, {
      code: "ERR_MODEL",
      where: "predictor",
    });
  }
}

/** The whole case, enlarged to what the poolings need; a 2D network still goes slice by slice. */
function fullPatch(shape: Triple, divisor: Triple, dimensions: number): Triple {
  const up = (axis: 0 | 1 | 2): number => Math.ceil(shape[axis] / divisor[axis]) * divisor[axis];
  return [dimensions === 2 ? 1 : up(0), up(1), up(2)];
}

function inferWith(model: tfl.LayersModel, dimensions: 2 | 3, channels: number, classes: number): (patch: Triple) => Infer {
  return (patch) => async (patches, count) => {
    const spatialShape = dimensions === 2 ? patch.slice(1) : patch;
    const probabilities = tf.tidy(() => {
      const logits = model.apply(tf.tensor(patches, [count, ...spatialShape, channels], "float32"), { training: false });
      // A model with one output gives one tensor.
      return tf.softmax((Array.isArray(logits) ? logits[0]! : logits) as tf.Tensor, -1);
    });
    try {
      const scores = (await probabilities.data()) as Float32Array;
      if (!isFiniteEverywhere(scores)) {
        throw new VoxError(
          `the model must give finite scores, got NaN among ${classes} classes; its weights or the image's intensities are not what it was trained for`,
          {
            code: "ERR_MODEL",
            where: "predictor",
          },
        );
      }
      return scores;
    } finally {
      probabilities.dispose();
    }
  };
}

/** NaN would lose every comparison and silently become the background. */
function isFiniteEverywhere(scores: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i]!;
  return Number.isFinite(sum);
}

function voxelsOf(image: VoxelSource<"float32">): Float32Array {
  if (!image.readRegion) return (image as VoxelSource<"float32"> & { readonly data: Float32Array }).data;
  const whole = new Float32Array(elementCount(image.shape));
  image.readRegion([0, 0, 0], spatial(image.shape), whole);
  return whole;
}
