import type { Triple } from "../core/shape.js";
import type { Millimeters } from "../core/units.js";
import type { ConfusionCounts } from "./confusion-counts.js";
import type { LabelMapComparison } from "./label-map-comparison.js";
import { type MaskState, maskState } from "./mask-state.js";
import { type SurfaceDistances, surfaceDistances } from "./surface-distances.js";

/** A box of voxels: first voxel and extents. */
export interface VoxelBox {
  readonly start: Triple;
  readonly size: Triple;
}

/** Prediction and reference of one label (or region) in one case: the argument of every metric. What several metrics need is worked out once. */
export class LabelComparison {
  readonly maps: LabelMapComparison;
  readonly labels: readonly number[];
  readonly counts: ConfusionCounts;
  readonly state: MaskState;
  /** Holds both masks. */
  readonly box: VoxelBox;
  private distances: SurfaceDistances | undefined;

  constructor({
    maps,
    labels,
    counts,
    box,
  }: { readonly maps: LabelMapComparison; readonly labels: readonly number[]; readonly counts: ConfusionCounts; readonly box: VoxelBox }) {
    this.maps = maps;
    this.labels = labels;
    this.counts = counts;
    this.state = maskState(counts);
    this.box = box;
  }

  /** Diagonal of the image, border to border: the worst distance, given where only one of the masks is empty. */
  get diagonal(): Millimeters {
    const { shape, spacing } = this.maps;
    return Math.hypot(shape[0] * spacing[0], shape[1] * spacing[1], shape[2] * spacing[2]);
  }

  /** mm³ per voxel. */
  get voxelVolume(): number {
    const { spacing } = this.maps;
    return spacing[0] * spacing[1] * spacing[2];
  }

  /** Distances between the two surfaces; only where both masks hold voxels. */
  get surfaces(): SurfaceDistances {
    this.distances ??= surfaceDistances(this);
    return this.distances;
  }
}

/** A metric on label maps. Better values may be higher (overlap) or lower (distances); its doc says so. NaN means "does not count". */
export type Metric = (comparison: LabelComparison) => number;
