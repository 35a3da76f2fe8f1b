import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { requireOption, VoxError } from "../core/errors.js";
import { PLANES, type PlaneName } from "../core/plane-name.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Sample } from "../core/sample.js";
import { elementCount, formatShape, type Shape4, spatial, type Triple } from "../core/shape.js";
import type { VoxelSource } from "../core/voxel-source.js";
import type { LabelArray } from "../kernels/label-array.js";
import { MergeMemory } from "./merge-memory.js";
import { modelDivisor } from "./model-divisor.js";
import { permuteAxes } from "./permute-axes.js";
import type { Prediction } from "./prediction.js";
import { requireWindowOptions } from "./require-window-options.js";
import { type Rotations, rotationAxes } from "./rotation-axes.js";
import { type Infer, type SlidingWindowOptions, type SlidingWindowResult, slidingWindow } from "./sliding-window.js";
import { undoPreprocessing } from "./undo-preprocessing.js";

export interface PredictorOptions extends Pick<SlidingWindowOptions, "overlap" | "weighting" | "batchSize" | "flips"> {
  /** Gives logits, one channel per class. Several with inputs and classes alike are averaged window by window, which takes no more memory than one. */
  readonly model: tfl.LayersModel | readonly tfl.LayersModel[];
  /**
   * Slices that a 2D network sees: across the depth (default), the height or the width of the case. Patch and overlap are then in the order slices, rows,
   * columns; axes to mirror are those of the case.
   */
  readonly plane?: PlaneName;
  /** Window: a size; `"full"` predicts each case in one piece, padded to what the network's poolings need. Default: the size that the model was built for. */
  readonly patch?: Triple | "full";
  /**
   * Also averages over windows turned by quarter turns (test-time augmentation), together with the mirrors of `flips`: in all planes where that only
   * permutes voxels, because window and spacing are square there, or in given planes of the case. Default: none.
   */
  readonly rotations?: Rotations;
  /** Also give the probabilities. */
  readonly keepProbabilities?: boolean;
}

export interface PredictCaseOptions extends Pick<SlidingWindowOptions, "onPatch" | "signal"> {}

/** Predicts one preprocessed case. */
export type Predictor = (sample: Sample, options?: PredictCaseOptions) => Promise<Prediction>;

/** One preprocessed case through the network, on the grid that the network saw. */
export interface RawPrediction {
  readonly labels: LabelArray;
  readonly shape: Triple;
  /** Mean probabilities `(D, H, W, classes)`, when asked for. */
  readonly scores?: Float32Array;
}

/**
 * Makes a function that predicts whole cases: windows through the model, the mean of their probabilities (softmax of the logits), the class of the
 * largest mean, and back over the preprocessing in the sample's history.
 *
 * @shape sample image (D, H, W, C) → labels on the grid in front of the preprocessing
 * @label ties go to the lowest class
 * @throws `ERR_OPTION`; `ERR_MODEL` when patch, channels and network do not fit each other
 * @example
 * const predictCase = predictor({ model, overlap: [8, 16, 16] });
 * const { labels } = await predictCase(sample);
 */
export function predictor(options: PredictorOptions): Predictor {
  requireKnownOptions("predictor", options, [
    "model",
    "plane",
    "patch",
    "rotations",
    "keepProbabilities",
    "overlap",
    "weighting",
    "batchSize",
    "flips",
  ]);
  const { classes, predict } = rawPredictor(options);
  return async (sample, call) => {
    const { labels, shape, scores } = await predict(sample, call);
    return undoPreprocessing({ labels, ...(scores && { probabilities: scores }), shape, classes, history: sample.history });
  };
}

/** As `predictor`, but without the way back over the preprocessing. */
export function rawPredictor({
  model,
  plane = "axial",
  patch: wanted,
  keepProbabilities = false,
  flips = [],
  rotations,
  ...window
}: PredictorOptions): {
  readonly classes: number;
  readonly predict: (sample: Sample, options?: PredictCaseOptions) => Promise<RawPrediction>;
} {
  const models = Array.isArray(model) ? (model as readonly tfl.LayersModel[]) : [model as tfl.LayersModel];
  requireOption(models.length > 0, "predictor", "model", "at least one", models.length);
  requireOption(PLANES.includes(plane), "predictor", "plane", PLANES.join(", "), plane);
  const input = models[0]!.inputs[0]!.shape;
  const output = models[0]!.outputs[0]!.shape;
  const dimensions = input.length - 2;
  const classes = output.at(-1);
  const channels = input.at(-1);
  if (models[0]!.inputs.length !== 1 || (dimensions !== 2 && dimensions !== 3) || typeof classes !== "number" || typeof channels !== "number") {
    throw new VoxError(
      `the model must have one input [batch, (depth,) height, width, channels] and a known number of classes, got ${JSON.stringify(input)} to ${JSON.stringify(output)}`,
      {
        code: "ERR_MODEL",
        where: "predictor",
      },
    );
  }
  const other = models.find(({ inputs, outputs }) => String(inputs[0]!.shape) !== String(input) || outputs[0]!.shape.at(-1) !== classes);
  if (other) {
    throw new VoxError(
      `models that are averaged must have inputs and classes alike, got ${JSON.stringify(input)} to ${classes} and ${JSON.stringify(other.inputs[0]!.shape)} to ${other.outputs[0]!.shape.at(-1)}`,
      { code: "ERR_MODEL", where: "predictor" },
    );
  }
  if (plane !== "axial" && dimensions === 3) {
    throw new VoxError(`a plane other than axial must be given for 2D networks only, got ${plane} for a 3D network`, {
      code: "ERR_MODEL",
      where: "predictor",
    });
  }
  const own = dimensions === 2 ? [1, ...input.slice(1, -1)] : input.slice(1, -1);
  const isFixed = own.every((extent) => extent !== null);
  const patch = wanted ?? (isFixed ? (own as unknown as Triple) : undefined);
  if (patch === undefined)
    throw new VoxError(`patch must be given for a model without a fixed input size, ${JSON.stringify(input)}`, {
      code: "ERR_MODEL",
      where: "predictor",
    });
  // What no case can meet is told before one is read.
  requireWindowOptions("predictor", { ...window, flips, ...(patch !== "full" && { patch }) });
  const divisors = models.map((one) => modelDivisor(one));
  const divisor = [0, 1, 2].map((axis) => divisors.reduce((common, one) => leastMultiple(common, one[axis]!), 1)) as unknown as Triple;
  if (patch === "full") {
    if (own.slice(3 - dimensions).some((extent) => extent !== null)) {
      throw new VoxError(`patch must be ${formatShape(own as number[])}, the size that the model is fixed to, got "full"`, {
        code: "ERR_MODEL",
        where: "predictor",
      });
    }
  } else requirePatch(patch, own, divisor);

  const [forward = [0, 1, 2], back] = TURNS[plane];
  if (rotations !== undefined && patch !== "full") rotationAxes(rotations, { patch, along: forward });
  const infer = inferWith(models, dimensions, channels, classes);
  const memory = new MergeMemory();
  const predict = async (sample: Sample, { onPatch, signal }: PredictCaseOptions = {}): Promise<RawPrediction> => {
    const { image } = sample;
    if (image.shape[3] !== channels) {
      throw new VoxError(`the image must have the ${channels} channels of the model, got ${image.shape[3]}`, {
        code: "ERR_SHAPE",
        where: "predictor",
        sampleId: sample.id,
      });
    }
    const seen = back ? permuteAxes(voxelsOf(image), image.shape, forward) : { data: voxelsOf(image), shape: image.shape };
    const size = patch === "full" ? fullPatch(spatial(seen.shape), divisor, dimensions) : patch;
    const result = await slidingWindow(seen.data, seen.shape, {
      ...window,
      flips: flips.map((axis) => forward.indexOf(axis) as 0 | 1 | 2),
      ...(rotations !== undefined && {
        rotations: rotationAxes(rotations, { patch: size, spacing: image.geometry.spacing, along: forward, sampleId: sample.id }),
      }),
      infer: infer(size),
      classes,
      patch: size,
      keepScores: keepProbabilities,
      memory,
      ...(onPatch && { onPatch }),
      ...(signal && { signal }),
    });
    return { ...(back ? turnedBack(result, seen.shape, classes, back) : result), shape: spatial(image.shape) };
  };
  return { classes, predict };
}

/** Order of axes that puts the slices of a plane first, and the order that undoes it. */
const TURNS: Readonly<Record<PlaneName, readonly [forward: Triple, back: Triple] | readonly []>> = {
  axial: [],
  coronal: [
    [1, 0, 2],
    [1, 0, 2],
  ],
  sagittal: [
    [2, 0, 1],
    [1, 2, 0],
  ],
};

function turnedBack({ labels, scores }: SlidingWindowResult, shape: Shape4, classes: number, order: Triple): SlidingWindowResult {
  const [depth, height, width] = shape;
  return {
    labels: permuteAxes(labels, [depth, height, width, 1], order).data,
    ...(scores && { scores: permuteAxes(scores, [depth, height, width, classes], order).data }),
  };
}

function leastMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b !== 0) multiple += a;
  return multiple;
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

function inferWith(models: readonly tfl.LayersModel[], dimensions: 2 | 3, channels: number, classes: number): (patch: Triple) => Infer {
  return (patch) => async (patches, count) => {
    const spatialShape = dimensions === 2 ? patch.slice(1) : patch;
    const probabilities = tf.tidy(() => {
      const input = tf.tensor(patches, [count, ...spatialShape, channels], "float32");
      const sum = models.reduce<tf.Tensor | undefined>((before, model) => {
        // The activations of one model are gone before the next one runs.
        return tf.tidy(() => {
          const logits = model.apply(input, { training: false });
          // A model with one output gives one tensor; of several the first is the finest.
          const own = tf.softmax((Array.isArray(logits) ? logits[0]! : logits) as tf.Tensor, -1);
          return before ? tf.add(before, own) : own;
        });
      }, undefined) as tf.Tensor;
      return models.length === 1 ? sum : tf.div(sum, models.length);
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
