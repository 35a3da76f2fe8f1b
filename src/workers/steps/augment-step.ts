import { VoxError } from "../../core/errors.js";
import { transformGeometry } from "../../core/geometry.js";
import type { Margin } from "../../core/sample.js";
import { elementCount, type Shape4, spatial, type Triple } from "../../core/shape.js";
import { copyBox } from "../../kernels/copy-box/copy-box.js";
import { elasticLattice } from "../../kernels/elastic-lattice/elastic-lattice.js";
import { mirror } from "../../kernels/mirror/mirror.js";
import type { NoiseKey } from "../../kernels/noise/philox.js";
import { rotationMatrix } from "../../kernels/rotation-matrix/rotation-matrix.js";
import type { Matrix3, SampleCoordinates } from "../../kernels/sample-image/sample-coordinates.js";
import { sampleImage } from "../../kernels/sample-image/sample-image.js";
import { sampleLabel } from "../../kernels/sample-label/sample-label.js";
import { statistics } from "../../kernels/statistics/statistics.js";
import type { VoxelArray } from "../../kernels/voxel-array.js";
import { changeIntensity, type IntensityChange } from "./change-intensity.js";
import { inPlacePlan, regridPlan, type Step } from "./step.js";

/** Rotation, scaling, translation and elastic deformation of one sample, done in one interpolation. */
export interface SpatialChange {
  /** Radians about the depth, height and width axis. */
  readonly angles: Triple;
  /** Per axis; above 1 zooms out. */
  readonly scale: Triple;
  /** In voxels: the patch is taken from so much farther along each axis. */
  readonly shift: Triple;
  readonly elastic?: {
    readonly alpha: number;
    readonly sigma: number;
    readonly key: NoiseKey /** Nothing moves along the depth. */;
    readonly planar: boolean;
  };
  readonly order: 0 | 1 | 3;
  readonly labelOrder: 0 | 1;
}

/** What one sample drew; techniques that did not strike are absent. */
export interface AugmentParams {
  /** Trimmed, as `patch` added it. */
  readonly margin?: Margin;
  readonly mirror?: readonly [boolean, boolean, boolean];
  readonly spatial?: SpatialChange;
  /** In the order in which they are applied. */
  readonly intensity?: readonly IntensityChange[];
  /** Whether the label map goes along with mirror and spatial changes. */
  readonly labels: boolean;
}

const NO_MARGIN: Margin = [
  [0, 0, 0],
  [0, 0, 0],
];

/** Mirror and every other move of voxels in one pass over the patch, then the intensity techniques on what is left of it. */
export const augmentStep: Step<AugmentParams> = {
  plan(layout, { margin, mirror: flips, spatial: move }) {
    if (layout.label && layout.label.shape[3] !== 1) {
      throw new VoxError(`the label map must have 1 channel, got ${layout.label.shape[3]}: put augment in front of oneHot`, {
        code: "ERR_SHAPE",
        where: "augment",
      });
    }
    if (!margin && !flips && !move) return inPlacePlan(layout);
    const [before] = margin ?? NO_MARGIN;
    return regridPlan(layout, innerSize(layout.image.shape, margin), transformGeometry(layout.image.geometry, [1, 1, 1], before));
  },
  apply({ image, label, params, before, after, isStopped }) {
    const { margin = NO_MARGIN, mirror: flips, spatial: move, intensity = [], labels } = params;
    const [from, to] = [before.image.shape, after.image.shape];
    const coordinates = move && coordinatesOf(move, flips, margin, to, before.image.geometry.spacing);
    // Whole voxels move without interpolation: exactly, and with the same result for every order.
    const order = coordinates && isPermutation(coordinates, to) ? 0 : move?.order;
    const labelOrder = order === 0 ? 0 : move?.labelOrder;
    // Nearest labels are taken on the way, where the image finds its coordinates anyway.
    const isTogether = coordinates !== undefined && labels && labelOrder === 0 && image !== undefined;
    if (label && !isTogether) {
      const [labelFrom, labelTo] = [before.label!.shape, after.label!.shape];
      if (coordinates && labels) sampleLabel(label.input, labelFrom, label.output, labelTo, { ...coordinates, order: labelOrder! });
      else copyInner(label.input, labelFrom, label.output, labelTo, margin[0], labels ? flips : undefined);
    }
    if (!image || isStopped()) return;
    if (coordinates) {
      const fill = statistics(image.input, { channels: from[3] }).map(({ min }) => min);
      sampleImage(image.input, from, image.output, to, { ...coordinates, order: order!, fill, ...(label && isTogether && { labels: label }) });
    } else if (image.output.length !== image.input.length || flips) {
      copyInner(image.input, from, image.output, to, margin[0], flips);
    } else if (image.output !== image.input) image.output.set(image.input);
    changeIntensity(image.output, to, intensity, isStopped);
  },
};

/** Extents of a patch without its margin. */
export function innerSize(shape: Shape4, [before, after]: Margin = NO_MARGIN): Triple {
  return [shape[0] - before[0] - after[0], shape[1] - before[1] - after[1], shape[2] - before[2] - after[2]];
}

/** What is left when the margin is trimmed, mirrored along the chosen axes. */
function copyInner<A extends VoxelArray>(input: A, shape: Shape4, output: A, outShape: Shape4, start: Triple, flips: AugmentParams["mirror"]): void {
  const isTrimmed = elementCount(shape) !== elementCount(outShape);
  if (!isTrimmed) {
    if (flips) mirror(input, shape, output, flips);
    else output.set(input as never);
    return;
  }
  if (!flips) {
    copyBox(input, shape, output, outShape, start);
    return;
  }
  const inner = output.slice() as A;
  copyBox(input, shape, inner, outShape, start);
  mirror(inner, outShape, output, flips);
}

/**
 * From output to input offsets, in voxels. Rotation happens in millimeters, so that anisotropic voxels turn without shear: M = S⁻¹·R·S, mirrored columns
 * negated.
 */
export function spatialMatrix({ angles, scale }: SpatialChange, flips: AugmentParams["mirror"], spacing: Triple): Matrix3 {
  const flip = (axis: number) => (flips?.[axis] ? -1 : 1);
  return rotationMatrix(angles, scale).map(
    (value, i) => ((value * spacing[i % 3]!) / spacing[Math.floor(i / 3)]!) * flip(i % 3),
  ) as unknown as Matrix3;
}

function coordinatesOf(move: SpatialChange, flips: AugmentParams["mirror"], [before]: Margin, to: Shape4, spacing: Triple): SampleCoordinates {
  const matrix = spatialMatrix(move, flips, spacing);
  const size = spatial(to);
  const along = (axis: 0 | 1 | 2) => before[axis] + move.shift[axis] + (size[axis] - 1) / 2;
  const center: Triple = [along(0), along(1), along(2)];
  if (!move.elastic) return { center, matrix };
  const displacement = elasticLattice(size, move.elastic);
  // A planar image has nothing in front of it or behind it.
  if (move.elastic.planar) displacement.values.fill(0, 0, elementCount(displacement.nodes));
  return { center, matrix, displacement };
}

/** Whether every output voxel lies on an input voxel: mirrors, quarter turns of alike axes, shifts by whole voxels. */
function isPermutation({ center, matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1], displacement }: SampleCoordinates, to: Shape4): boolean {
  if (displacement || matrix.some((value) => value !== 0 && Math.abs(value) !== 1)) return false;
  return [0, 1, 2].every((row) => {
    const first = center[row]! - [0, 1, 2].reduce((sum, k) => sum + (matrix[3 * row + k]! * (to[k]! - 1)) / 2, 0);
    return Number.isInteger(first);
  });
}
