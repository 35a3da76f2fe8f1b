import { describe, requireOption, VoxError } from "../core/errors.js";
import { elementCount, formatShape, type Triple } from "../core/shape.js";
import type { ConfusionCounts } from "./confusion-counts.js";
import { LabelComparison, type VoxelBox } from "./label-comparison.js";

export type LabelArray = Uint8Array | Uint16Array | Int16Array | Int32Array | Uint32Array;

export interface LabelMapComparisonOptions {
  /** What the model said. */
  readonly prediction: LabelArray;
  /** What is held to be true. */
  readonly reference: LabelArray;
  readonly shape: Triple;
  /** Voxel size in mm, `[z, y, x]`; defaults to 1 mm, which is right only for counts and ratios. */
  readonly spacing?: Triple;
}

/** Values up to this one may occur: the table of pairs is square in the number of values that do occur. */
const MAX_VALUE = 65_535;

/**
 * Two label maps on one grid, gone through once: `of(label)` gives what every metric of that label needs.
 *
 * Counts come from the table of (prediction, reference) pairs, so a map of 60 organs costs the same pass as one of two.
 *
 * @shape prediction, reference (D, H, W) in C order
 * @throws `ERR_SHAPE` when the maps and the shape differ, `ERR_LABEL` for negative labels, `ERR_OPTION` for a spacing that is not > 0
 * @example
 * const comparison = new LabelMapComparison({ prediction, reference, shape: [48, 96, 96], spacing: [3, 0.78, 0.78] });
 * dice(comparison.of(1));
 * dice(comparison.of([1, 2])); // kidney with its tumor
 */
export class LabelMapComparison {
  readonly shape: Triple;
  readonly spacing: Triple;
  readonly prediction: LabelArray;
  readonly reference: LabelArray;
  /** Voxels in all. */
  readonly total: number;
  /** Labels that occur in either map, ascending, without 0. */
  readonly labels: readonly number[];
  private readonly rank: Int32Array;
  private readonly pairs: Float64Array;
  private readonly ranks: number;
  /** z0, z1, y0, y1, x0, x1 per rank; both ends inside. */
  private readonly extents: Int32Array;

  constructor({ prediction, reference, shape, spacing = [1, 1, 1] }: LabelMapComparisonOptions) {
    const total = elementCount(shape);
    for (const [name, map] of [
      ["prediction", prediction],
      ["reference", reference],
    ] as const) {
      if (map.length !== total) {
        throw new VoxError(`the ${name} must have ${total} voxels for shape ${formatShape(shape)}, got ${map.length}`, {
          code: "ERR_SHAPE",
          where: "labelMapComparison",
        });
      }
    }
    requireOption(
      spacing.length === 3 && spacing.every((mm) => mm > 0 && Number.isFinite(mm)),
      "labelMapComparison",
      "spacing",
      "three lengths > 0 mm",
      spacing,
    );
    this.shape = shape;
    this.spacing = spacing;
    this.prediction = prediction;
    this.reference = reference;
    this.total = total;

    const present = new Uint8Array(MAX_VALUE + 1);
    present[0] = 1;
    let worst = 0;
    for (const map of [prediction, reference]) {
      for (let i = 0; i < total; i++) {
        const value = map[i]!;
        if (value >= 0 && value <= MAX_VALUE) present[value] = 1;
        else worst = value;
      }
    }
    if (worst !== 0)
      throw new VoxError(`labels must lie in 0..${MAX_VALUE}, got ${describe(worst)}`, { code: "ERR_LABEL", where: "labelMapComparison" });
    this.rank = new Int32Array(MAX_VALUE + 1).fill(-1);
    const values: number[] = [];
    for (let value = 0; value <= MAX_VALUE; value++) if (present[value]) this.rank[value] = values.push(value) - 1;
    this.labels = values.slice(1);
    this.ranks = values.length;
    this.pairs = new Float64Array(this.ranks * this.ranks);
    this.extents = new Int32Array(this.ranks * 6);
    for (let r = 0; r < this.ranks; r++) this.extents.set([shape[0], -1, shape[1], -1, shape[2], -1], r * 6);
    this.count();
  }

  private count(): void {
    const { prediction, reference, rank, pairs, ranks, extents } = this;
    const [depth, height, width] = this.shape;
    let i = 0;
    let background = 0;
    for (let z = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++, i++) {
          const p = prediction[i]!;
          const r = reference[i]!;
          if (p === 0 && r === 0) {
            background++;
            continue;
          }
          const a = rank[p]!;
          const b = rank[r]!;
          pairs[a * ranks + b]!++;
          if (a !== 0) stretch(extents, a * 6, z, y, x);
          if (b !== a && b !== 0) stretch(extents, b * 6, z, y, x);
        }
      }
    }
    pairs[0] = background;
  }

  /**
   * One label, or several taken together as one region.
   *
   * @throws `ERR_OPTION` unless labels are integers >= 0
   */
  of(labels: number | readonly number[]): LabelComparison {
    const list = typeof labels === "number" ? [labels] : [...labels];
    requireOption(
      list.length > 0 && list.every((label) => Number.isInteger(label) && label >= 0),
      "labelMapComparison",
      "labels",
      "one or more integers >= 0",
      labels,
    );
    const ranks = [...new Set(list.map((label) => this.rank[label] ?? -1).filter((rank) => rank >= 0))];
    let truePositives = 0;
    let predicted = 0;
    let referenced = 0;
    for (const a of ranks) {
      for (let b = 0; b < this.ranks; b++) {
        predicted += this.pairs[a * this.ranks + b]!;
        referenced += this.pairs[b * this.ranks + a]!;
      }
      for (const b of ranks) truePositives += this.pairs[a * this.ranks + b]!;
    }
    const counts: ConfusionCounts = {
      truePositives,
      falsePositives: predicted - truePositives,
      falseNegatives: referenced - truePositives,
      trueNegatives: this.total - predicted - referenced + truePositives,
    };
    return new LabelComparison({ maps: this, labels: list, counts, box: this.boxOf(ranks) });
  }

  /**
   * Voxels by class: row = label of the reference, column = label of the prediction, 0 to `classes` - 1 each. The sum is all voxels.
   *
   * @throws `ERR_LABEL` when a map holds a label outside of the classes
   * @example
   * comparison.confusion(3)[1]![2]; // voxels of class 1 that were taken for class 2
   */
  confusion(classes: number): number[][] {
    requireOption(Number.isInteger(classes) && classes >= 1, "labelMapComparison", "classes", "an integer >= 1", classes);
    const strange = this.labels.find((label) => label >= classes);
    if (strange !== undefined) {
      throw new VoxError(`labels must lie in 0..${classes - 1} for ${classes} classes, got ${strange}`, {
        code: "ERR_LABEL",
        where: "labelMapComparison",
      });
    }
    const voxels = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    const present = [0, ...this.labels];
    for (const truth of present) {
      for (const predicted of present) voxels[truth]![predicted] = this.pairs[this.rank[predicted]! * this.ranks + this.rank[truth]!]!;
    }
    return voxels;
  }

  private boxOf(ranks: readonly number[]): VoxelBox {
    // The background is everywhere; its extent is not tracked.
    if (ranks.includes(0)) return { start: [0, 0, 0], size: this.shape };
    const start = [...this.shape];
    const end = [0, 0, 0];
    for (const rank of ranks) {
      for (let axis = 0; axis < 3; axis++) {
        start[axis] = Math.min(start[axis]!, this.extents[rank * 6 + axis * 2]!);
        end[axis] = Math.max(end[axis]!, this.extents[rank * 6 + axis * 2 + 1]! + 1);
      }
    }
    const size = end.map((stop, axis) => Math.max(0, stop - start[axis]!));
    return { start: [start[0]!, start[1]!, start[2]!], size: [size[0]!, size[1]!, size[2]!] };
  }
}

function stretch(extents: Int32Array, at: number, z: number, y: number, x: number): void {
  if (z < extents[at]!) extents[at] = z;
  if (z > extents[at + 1]!) extents[at + 1] = z;
  if (y < extents[at + 2]!) extents[at + 2] = y;
  if (y > extents[at + 3]!) extents[at + 3] = y;
  if (x < extents[at + 4]!) extents[at + 4] = x;
  if (x > extents[at + 5]!) extents[at + 5] = x;
}
