import { setImmediate } from "node:timers/promises";
import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { elementCount, formatShape, type Shape4, spatial, type Triple } from "../core/shape.js";
import { copyBox } from "../kernels/copy-box/copy-box.js";
import { gaussianWindowWeights } from "../kernels/gaussian-window-weights/gaussian-window-weights.js";
import type { LabelArray } from "../kernels/label-array.js";
import { statistics } from "../kernels/statistics/statistics.js";
import { gridStarts } from "./grid-starts.js";
import type { MergeMemory } from "./merge-memory.js";
import { requireWindowOptions } from "./require-window-options.js";
import { RollingMerge } from "./rolling-merge.js";
import { inverseTurn, turnWindows, windowTurns } from "./window-turns.js";

/** Scores of a batch of patches: `(n, d, h, w, C)` intensities in, `(n, d, h, w, classes)` out. */
export type Infer = (patches: Float32Array, count: number) => Float32Array | Promise<Float32Array>;

export interface SlidingWindowOptions {
  readonly infer: Infer;
  readonly classes: number;
  readonly patch: Triple;
  /** Voxels that neighboring patches share per axis; half the patch by default, as in MIScnn's paper and nnU-Net. */
  readonly overlap?: Triple;
  /** How patches count where they overlap: alike, or more in their middle (σ = patch / 8). */
  readonly weighting?: "constant" | "gaussian";
  readonly batchSize?: number;
  /** Axes (0 depth, 1 height, 2 width) to mirror: every combination is predicted, turned back, and all are averaged. */
  readonly flips?: readonly (0 | 1 | 2)[];
  /** Axes around which windows are also turned by quarter turns, together with the mirrors; both other extents of the patch must be the same. */
  readonly rotations?: readonly (0 | 1 | 2)[];
  /** Also return the mean scores. */
  readonly keepScores?: boolean;
  readonly onPatch?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Working memory that several calls share. */
  readonly memory?: MergeMemory;
}

export interface SlidingWindowResult {
  readonly labels: LabelArray;
  /** `(D, H, W, classes)`, when asked for. */
  readonly scores?: Float32Array;
}

/**
 * Predicts a whole image by patches: a grid with overlap, the weighted mean of all patches at each voxel, then the class of the largest mean.
 *
 * An image smaller than the patch is padded around with its smallest value, the background, and the padding is cut off again. Memory beyond image and
 * labels is one batch of patches and one slab of sums, as deep as a patch.
 *
 * @shape image (D, H, W, C) → labels (D, H, W), uint8 up to 256 classes, else uint16
 * @label ties go to the lowest class
 * @throws `ERR_OPTION`; `ERR_SHAPE` when image and shape, or the scores of the model, differ; `ERR_STOPPED` after an abort
 * @example
 * const { labels } = await slidingWindow(image, [48, 96, 96, 1], { infer, classes: 3, patch: [32, 64, 64] });
 */
export async function slidingWindow(image: Float32Array, shape: Shape4, options: SlidingWindowOptions): Promise<SlidingWindowResult> {
  requireKnownOptions("slidingWindow", options, [
    "infer",
    "classes",
    "patch",
    "overlap",
    "weighting",
    "batchSize",
    "flips",
    "rotations",
    "keepScores",
    "onPatch",
    "signal",
    "memory",
  ]);
  const {
    infer,
    classes,
    patch,
    weighting = "constant",
    batchSize = 2,
    flips = [],
    rotations = [],
    keepScores = false,
    onPatch,
    signal,
    memory,
  } = options;
  requireWindowOptions("slidingWindow", { ...options, weighting, batchSize, flips });
  const overlap = options.overlap ?? [Math.floor(patch[0] / 2), Math.floor(patch[1] / 2), Math.floor(patch[2] / 2)];
  requireOption(Number.isInteger(classes) && classes >= 1 && classes <= 65_536, "slidingWindow", "classes", "an integer in 1..65536", classes);
  const isAxis = (axis: number): boolean => axis === 0 || axis === 1 || axis === 2;
  requireOption(rotations.every(isAxis), "slidingWindow", "rotations", "axes 0, 1 or 2", rotations);
  const isSquare = rotations.every((axis) => patch[(axis + 1) % 3] === patch[(axis + 2) % 3]);
  requireOption(isSquare, "slidingWindow", "rotations", `axes across which the patch ${formatShape(patch)} is square`, rotations);
  if (image.length !== elementCount(shape)) {
    throw new VoxError(`the image must have ${elementCount(shape)} elements for shape ${formatShape(shape)}, got ${image.length}`, {
      code: "ERR_SHAPE",
      where: "slidingWindow",
    });
  }
  const size = spatial(shape);
  const channels = shape[3];
  const starts = windowStarts(size, patch, overlap);
  const turns = windowTurns({ flips, rotations });
  const voxels = elementCount(patch);
  const labels = classes <= 256 ? new Uint8Array(elementCount(size)) : new Uint16Array(elementCount(size));
  const scores = keepScores ? new Float32Array(labels.length * classes) : undefined;
  const merge = new RollingMerge({
    shape: size,
    patch,
    channels: classes,
    labels,
    ...(scores && { scores }),
    ...(memory && { memory }),
    ...(weighting === "gaussian" && { weights: gaussianWindowWeights(patch) }),
  });
  const isSmaller = size.some((extent, axis) => extent < patch[axis]!);
  const background = isSmaller ? statistics(image, { channels }).map(({ min }) => min) : 0;
  const inputShape: Shape4 = [patch[0], patch[1], patch[2], channels];
  const outputShape: Shape4 = [patch[0], patch[1], patch[2], classes];
  const length = voxels * channels;
  const scoreLength = voxels * classes;

  for (let first = 0; first < starts.length; first += batchSize) {
    const batch = starts.slice(first, first + batchSize);
    const patches = new Float32Array(batch.length * length);
    for (const [n, start] of batch.entries()) copyBox(image, shape, patches.subarray(n * length, (n + 1) * length), inputShape, start, background);
    let mean: Float32Array | undefined;
    for (const turn of turns) {
      if (signal?.aborted) throw new VoxError("the prediction was stopped", { code: "ERR_STOPPED", where: "slidingWindow", cause: signal.reason });
      const given = await infer(turnWindows(patches, inputShape, batch.length, turn), batch.length);
      if (given.length !== batch.length * scoreLength) {
        throw new VoxError(`the model must give ${formatShape([batch.length, ...outputShape])} scores, got ${given.length} elements`, {
          code: "ERR_SHAPE",
          where: "slidingWindow",
        });
      }
      const turnedBack = turnWindows(given, outputShape, batch.length, inverseTurn(turn));
      if (turns.length === 1) mean = turnedBack;
      else {
        mean ??= new Float32Array(turnedBack.length);
        for (let i = 0; i < mean.length; i++) mean[i]! += turnedBack[i]! / turns.length;
      }
    }
    for (const [n, start] of batch.entries()) merge.add(mean!.subarray(n * scoreLength, (n + 1) * scoreLength), start);
    onPatch?.(first + batch.length, starts.length);
    // Engines compute on this thread and answer at once: without a turn of the event loop no signal would come through, and the next case would not load.
    await setImmediate();
  }
  merge.finish();
  return { labels, ...(scores && { scores }) };
}

/** Starts of all windows in order of depth, height, width; on an axis shorter than the patch the image lies in the patch's middle. */
function windowStarts(size: Triple, patch: Triple, overlap: Triple): Triple[] {
  const along = (axis: 0 | 1 | 2): number[] =>
    size[axis] < patch[axis] ? [-Math.floor((patch[axis] - size[axis]) / 2)] : gridStarts(size[axis], patch[axis], overlap[axis]);
  const rows = along(1);
  const columns = along(2);
  return along(0).flatMap((z) => rows.flatMap((y) => columns.map((x): Triple => [z, y, x])));
}
