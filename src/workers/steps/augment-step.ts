import { VoxError } from "../../core/errors.js";
import { transformGeometry } from "../../core/geometry.js";
import { elementCount, type Shape4, spatial, type Triple } from "../../core/shape.js";
import { brightnessMultiplicative } from "../../kernels/brightness/brightness-multiplicative.js";
import { contrast } from "../../kernels/contrast/contrast.js";
import { copyBox } from "../../kernels/copy-box/copy-box.js";
import { elasticLattice } from "../../kernels/elastic-lattice/elastic-lattice.js";
import { gamma } from "../../kernels/gamma/gamma.js";
import { mirror } from "../../kernels/mirror/mirror.js";
import { noise } from "../../kernels/noise/noise.js";
import type { NoiseKey } from "../../kernels/noise/philox.js";
import { rotationMatrix } from "../../kernels/rotation-matrix/rotation-matrix.js";
import type { Matrix3, SampleCoordinates } from "../../kernels/sample-image/sample-coordinates.js";
import { sampleImage } from "../../kernels/sample-image/sample-image.js";
import { sampleLabel } from "../../kernels/sample-label/sample-label.js";
import { statistics } from "../../kernels/statistics/statistics.js";
import type { VoxelArray } from "../../kernels/voxel-array.js";
import { inPlacePlan, regridPlan, type Step } from "./step.js";

/** What one sample drew; techniques that did not strike are absent. */
export interface AugmentParams {
  /** Trimmed on each side, as `patch` added it. */
  readonly margin?: Triple;
  readonly mirror?: readonly [boolean, boolean, boolean];
  readonly spatial?: {
    /** Radians about the depth, height and width axis. */
    readonly angles: Triple;
    /** Above 1 zooms out. */
    readonly scale: number;
    readonly elastic?: { readonly alpha: number; readonly sigma: number; readonly key: NoiseKey };
    readonly order: 0 | 1 | 3;
    readonly labelOrder: 0 | 1;
  };
  /** One factor, exponent or deviation per channel. */
  readonly contrast?: readonly number[];
  readonly brightness?: readonly number[];
  readonly gamma?: readonly number[];
  readonly noise?: { readonly sigma: readonly number[]; readonly key: NoiseKey };
  /** Whether the label map goes along with mirror and spatial changes. */
  readonly labels: boolean;
}

/** Mirror, then rotation, scaling and elastic deformation in one interpolation, then contrast, brightness, gamma and noise on the patch. */
export const augmentStep: Step<AugmentParams> = {
  plan(layout, { margin, mirror: flips, spatial: move }) {
    if (layout.label && layout.label.shape[3] !== 1) {
      throw new VoxError(`the label map must have 1 channel, got ${layout.label.shape[3]}: put augment in front of oneHot`, {
        code: "ERR_SHAPE",
        where: "augment",
      });
    }
    if (!margin && !flips && !move) return inPlacePlan(layout);
    const [m0, m1, m2] = margin ?? [0, 0, 0];
    const [d, h, w] = spatial(layout.image.shape);
    return regridPlan(layout, [d - 2 * m0, h - 2 * m1, w - 2 * m2], transformGeometry(layout.image.geometry, [1, 1, 1], [m0, m1, m2]));
  },
  apply({ image, label, params, before, after }) {
    const from = before.image.shape;
    const to = after.image.shape;
    const coordinates = params.spatial && coordinatesOf(params, from, to, before.image.geometry.spacing);
    if (label) {
      const [labelFrom, labelTo] = [before.label!.shape, after.label!.shape];
      if (coordinates && params.labels) {
        sampleLabel(label.input, labelFrom, label.output, labelTo, { ...coordinates, order: params.spatial!.labelOrder });
      } else copyInner(label.input, labelFrom, label.output, labelTo, params.labels ? params.mirror : undefined);
    }
    if (!image) return;
    if (coordinates) {
      const fill = statistics(image.input, { channels: from[3] }).map(({ min }) => min);
      sampleImage(image.input, from, image.output, to, { ...coordinates, order: params.spatial!.order, fill });
    } else if (image.output.length !== image.input.length || params.mirror) {
      copyInner(image.input, from, image.output, to, params.mirror);
    } else if (image.output !== image.input) image.output.set(image.input);
    color(image.output, to[3], params);
  },
};

/** In MIScnn's order. Each technique is measured on what the ones before it left. */
function color(voxels: Float32Array, channels: number, params: AugmentParams): void {
  if (params.contrast) contrast(voxels, voxels, { channels, factor: params.contrast });
  if (params.brightness) brightnessMultiplicative(voxels, voxels, { channels, factor: params.brightness });
  if (params.gamma) gamma(voxels, voxels, { channels, gamma: params.gamma });
  if (params.noise) noise(voxels, voxels, { channels, ...params.noise });
}

/** The middle of the input, mirrored along the chosen axes. */
function copyInner<A extends VoxelArray>(input: A, shape: Shape4, output: A, outShape: Shape4, flips: AugmentParams["mirror"]): void {
  const isTrimmed = elementCount(shape) !== elementCount(outShape);
  if (!isTrimmed) {
    if (flips) mirror(input, shape, output, flips);
    else output.set(input as never);
    return;
  }
  const start: Triple = [(shape[0] - outShape[0]) / 2, (shape[1] - outShape[1]) / 2, (shape[2] - outShape[2]) / 2];
  if (!flips) {
    copyBox(input, shape, output, outShape, start);
    return;
  }
  const inner = output.slice() as A;
  copyBox(input, shape, inner, outShape, start);
  mirror(inner, outShape, output, flips);
}

function coordinatesOf(params: AugmentParams, from: Shape4, to: Shape4, spacing: Triple): SampleCoordinates {
  const { angles, scale, elastic } = params.spatial!;
  const turn = rotationMatrix(angles, scale);
  const flip = (axis: number) => (params.mirror?.[axis] ? -1 : 1);
  // Rotation happens in millimeters, so that anisotropic voxels turn without shear: M = S⁻¹·R·S, mirrored columns negated.
  const matrix = turn.map((value, i) => ((value * spacing[i % 3]!) / spacing[Math.floor(i / 3)]!) * flip(i % 3)) as unknown as Matrix3;
  const center: Triple = [(from[0] - 1) / 2, (from[1] - 1) / 2, (from[2] - 1) / 2];
  if (!elastic) return { center, matrix };
  const size = spatial(to);
  const displacement = elasticLattice(size, elastic);
  // A planar image has nothing in front of it or behind it.
  if (from[0] === 1) displacement.values.fill(0, 0, elementCount(displacement.nodes));
  return { center, matrix, displacement };
}
