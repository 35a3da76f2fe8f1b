import { elementCount, formatShape, type Shape4, type Triple } from "../../core/shape.js";
import { gridStarts } from "../../inference/grid-starts.js";
import { MergeMemory } from "../../inference/merge-memory.js";
import { copyBox } from "../../kernels/copy-box/copy-box.js";
import { windowAccumulate } from "../../kernels/window-accumulate/window-accumulate.js";
import { windowFinish } from "../../kernels/window-finish/window-finish.js";
import { benchPhantom } from "./bench-phantom.js";
import type { BenchOptions, BenchResult } from "./bench-result.js";
import { benchShape } from "./bench-shape.js";
import { measure } from "./measure.js";

const PATCH: Triple = [80, 160, 160];
const OVERLAP: Triple = [40, 80, 80];
const CLASSES = 3;

/** Patches of a volume, and the mean of predictions that were given for each: the work around a model, without the model. */
export async function benchWindow({ shape, runs }: BenchOptions): Promise<readonly BenchResult[]> {
  const size = benchShape(shape, [64, 512, 512]);
  const { image } = benchPhantom(size);
  const along = (axis: 0 | 1 | 2) => gridStarts(size[axis], PATCH[axis], OVERLAP[axis]);
  const starts = along(0).flatMap((z) => along(1).flatMap((y) => along(2).map((x): Triple => [z, y, x])));
  const patch = new Float32Array(elementCount(PATCH));
  // Four in turn, so that they do not stay in the processor's cache.
  const predictions = [0.1, 0.2, 0.3, 0.4].map((value) => new Float32Array(patch.length * CLASSES).fill(value));
  const volume: Shape4 = [...size, CLASSES];
  // As in prediction, the sums of one case are memory of the case before.
  const memory = new MergeMemory();
  const merge = (extract: boolean) => {
    const sums = memory.take(elementCount(size) * (CLASSES + 1));
    const sum = sums.subarray(0, elementCount(volume));
    const weightSum = sums.subarray(sum.length);
    starts.forEach((start, i) => {
      if (extract) copyBox(image, [...size, 1], patch, [...PATCH, 1], start);
      windowAccumulate(sum, weightSum, volume, predictions[i % predictions.length]!, [...PATCH, CLASSES], start);
    });
    windowFinish(sum, weightSum, sum, CLASSES);
    memory.give(sums);
  };
  // Of a patch that is larger than the volume only the part inside is read and merged.
  const inside = PATCH.reduce((voxels, extent, axis) => voxels * Math.min(extent, size[axis]!), 1);
  const merged = 4 * starts.length * inside * 3 * CLASSES;
  return [
    await measure(
      "window/extract-merge",
      formatShape(size),
      runs,
      () => merge(true),
      () => undefined,
      { bytes: merged + 4 * starts.length * (inside + patch.length) },
    ),
    await measure(
      "window/merge",
      formatShape(size),
      runs,
      () => merge(false),
      () => undefined,
      { bytes: merged },
    ),
  ];
}
