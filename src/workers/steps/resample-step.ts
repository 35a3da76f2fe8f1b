import { transformGeometry } from "../../core/geometry.js";
import type { Triple } from "../../core/shape.js";
import { resampleImage } from "../../kernels/resample-image/resample-image.js";
import { resampleLabel } from "../../kernels/resample-label/resample-label.js";
import { inPlacePlan, regridPlan, type SampleLayout, type Step, type StepPlan, type StepReturn, type StepWork } from "./step.js";

export interface ResampleParams {
  readonly spacing: Triple;
  readonly order: 0 | 1 | 3;
  readonly labelOrder: 0 | 1;
}

type Orders = Pick<ResampleParams, "order" | "labelOrder">;

/** Another voxel size over the same field of view. */
export const resampleStep: Step<ResampleParams> = {
  plan(layout, { spacing }) {
    const { geometry, shape } = layout.image;
    const extent = (axis: 0 | 1 | 2) => resampledExtent(shape[axis], geometry.spacing[axis], spacing[axis]);
    return fieldOfViewPlan(layout, [extent(0), extent(1), extent(2)]);
  },
  apply: regrid,
  inverse: { labels: labelsBack, probabilities: probabilitiesBack },
};

/** The plan of a step that covers the same field of view with another number of voxels. */
export function fieldOfViewPlan(layout: SampleLayout, size: Triple): StepPlan {
  const { geometry, shape } = layout.image;
  if (size.every((count, axis) => count === shape[axis])) return inPlacePlan(layout, { image: "keep" });
  const scale: Triple = [shape[0] / size[0], shape[1] / size[1], shape[2] / size[2]];
  // The first voxel of the new grid begins where the first voxel of the old one begins, not at its center.
  const offset: Triple = [(scale[0] - 1) / 2, (scale[1] - 1) / 2, (scale[2] - 1) / 2];
  return regridPlan(layout, size, transformGeometry(geometry, scale, offset));
}

export function regrid({ image, label, params, before, after }: StepWork<Orders>): void {
  if (image) resampleImage(image.input, before.image.shape, image.output, after.image.shape, { order: params.order });
  if (label) resampleLabel(label.input, before.label!.shape, label.output, after.label!.shape, { order: params.labelOrder });
}

export function labelsBack(input: Uint8Array | Uint16Array, output: Uint8Array | Uint16Array, { shape, target, params }: StepReturn<Orders>): void {
  resampleLabel(input, shape, output, target, { order: params.labelOrder });
}

export function probabilitiesBack(input: Float32Array, output: Float32Array, { shape, target }: StepReturn<Orders>): void {
  resampleImage(input, shape, output, target, { order: 1 });
}

/** ⌊extent·spacing/new spacing⌋; the small term keeps 30·0.1/0.1 from becoming 29. */
function resampledExtent(extent: number, spacing: number, wanted: number): number {
  return Math.max(1, Math.floor((extent * spacing) / wanted + 1e-6));
}
