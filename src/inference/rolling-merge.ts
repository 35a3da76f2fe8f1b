import { requireOption } from "../core/errors.js";
import type { Triple } from "../core/shape.js";
import { argMaxChannels } from "../kernels/arg-max-channels/arg-max-channels.js";
import type { LabelArray } from "../kernels/label-array.js";
import { windowAccumulate } from "../kernels/window-accumulate/window-accumulate.js";
import { windowFinish } from "../kernels/window-finish/window-finish.js";
import type { MergeMemory } from "./merge-memory.js";

export interface RollingMergeOptions {
  /** Of the volume. */
  readonly shape: Triple;
  readonly patch: Triple;
  readonly channels: number;
  /** One weight per voxel of the patch; all 1 where absent. */
  readonly weights?: Float32Array;
  /** Gets the class of the largest mean score per voxel; of equal scores the lowest class. */
  readonly labels: LabelArray;
  /** Gets the mean scores themselves, `(D, H, W, C)`; only where they are wanted, since they grow with depth times classes. */
  readonly scores?: Float32Array;
  /** Where the sums come from, and go back to after `finish`; fresh memory where absent. */
  readonly memory?: MergeMemory;
}

/**
 * Merges overlapping windows into one volume by their weighted mean Σ w·s / Σ w, and takes the class of the largest mean.
 *
 * Windows come in order of depth, so sums are kept only for as many planes as a patch is deep: when a window starts deeper, the planes above it are
 * complete, become labels, and their memory is used again.
 *
 * @shape windows (d, h, w, C) → labels (D, H, W)
 * @throws `ERR_OPTION` when a window comes out of order; `ERR_DATA` when a voxel was covered by no window
 * @example
 * const merge = new RollingMerge({ shape, patch: [16, 96, 96], channels: 3, labels });
 * for (const { scores, start } of windows) merge.add(scores, start);
 * merge.finish();
 */
export class RollingMerge {
  private readonly shape: Triple;
  private readonly patch: Triple;
  private readonly channels: number;
  private readonly weights: Float32Array | undefined;
  private readonly labels: LabelArray;
  private readonly scores: Float32Array | undefined;
  private readonly slabDepth: number;
  private readonly sum: Float32Array;
  private readonly weightSum: Float32Array;
  private readonly memory: MergeMemory | undefined;
  private readonly taken: Float32Array;
  /** Depth of the slab's first plane; all before are done. */
  private base = 0;

  constructor({ shape, patch, channels, weights, labels, scores, memory }: RollingMergeOptions) {
    this.shape = shape;
    this.patch = patch;
    this.channels = channels;
    this.weights = weights;
    this.labels = labels;
    this.scores = scores;
    this.slabDepth = Math.min(shape[0], patch[0]);
    const voxels = this.slabDepth * shape[1] * shape[2];
    this.memory = memory;
    this.taken = memory?.take(voxels * (channels + 1)) ?? new Float32Array(voxels * (channels + 1));
    this.sum = this.taken.subarray(0, voxels * channels);
    this.weightSum = this.taken.subarray(voxels * channels);
  }

  /** Bytes of the sums: they do not grow with the depth of the volume. */
  get slabBytes(): number {
    return this.sum.byteLength + this.weightSum.byteLength;
  }

  /** One window; `start` may lie outside the volume, where nothing is added. */
  add(scores: Float32Array, [z, y, x]: Triple): void {
    const first = Math.max(0, z);
    requireOption(first >= this.base, "rollingMerge", "start", `a depth >= ${this.base}, windows come in order of depth`, z);
    this.complete(Math.min(first, this.shape[0]));
    const { shape, patch, channels } = this;
    windowAccumulate(
      this.sum,
      this.weightSum,
      [this.slabDepth, shape[1], shape[2], channels],
      scores,
      [patch[0], patch[1], patch[2], channels],
      [z - this.base, y, x],
      this.weights,
    );
  }

  /** Turns what is left into labels; to be called once, after the last window. */
  finish(): void {
    this.complete(this.shape[0]);
    this.memory?.give(this.taken);
  }

  /** Makes labels of all planes above `depth` and moves the slab there. */
  private complete(depth: number): void {
    const plane = this.shape[1] * this.shape[2];
    while (this.base < depth) {
      const planes = Math.min(depth - this.base, this.slabDepth);
      const voxels = planes * plane;
      const sum = this.sum.subarray(0, voxels * this.channels);
      windowFinish(sum, this.weightSum.subarray(0, voxels), sum, this.channels);
      argMaxChannels(sum, this.labels.subarray(this.base * plane, this.base * plane + voxels), this.channels);
      this.scores?.set(sum, this.base * plane * this.channels);
      this.sum.copyWithin(0, voxels * this.channels);
      this.sum.fill(0, this.sum.length - voxels * this.channels);
      this.weightSum.copyWithin(0, voxels);
      this.weightSum.fill(0, this.weightSum.length - voxels);
      this.base += planes;
    }
  }
}
