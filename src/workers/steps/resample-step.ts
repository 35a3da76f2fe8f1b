import { transformGeometry } from "../../core/geometry.js";
import type { Triple } from "../../core/shape.js";
import { resampleImage } from "../../kernels/resample-image/resample-image.js";
import { resampleLabel } from "../../kernels/resample-label/resample-label.js";
import { inPlacePlan, regridPlan, type Step } from "./step.js";

export interface ResampleParams {
  readonly spacing: Triple;
  readonly order: 0 | 1 | 3;
  readonly labelOrder: 0 | 1;
}

/** Another voxel size over the same field of view. */
export const resampleStep: Step<ResampleParams> = {
  plan(layout, { spacing }) {
    const { geometry, shape } = layout.image;
    const extent = (axis: 0 | 1 | 2) => resampledExtent(shape[axis], geometry.spacing[axis], spacing[axis]);
    const size: Triple = [extent(0), extent(1), extent(2)];
    if (size.every((count, axis) => count === shape[axis])) return inPlacePlan(layout, { image: "keep" });
    const scale: Triple = [shape[0] / size[0], shape[1] / size[1], shape[2] / size[2]];
    // The first voxel of the new grid begins where the first voxel of the old one begins, not at its center.
    const offset: Triple = [(scale[0] - 1) / 2, (scale[1] - 1) / 2, (scale[2] - 1) / 2];
    return regridPlan(layout, size, transformGeometry(geometry, scale, offset));
  },
  apply({ image, label, params, before, after }) {
    if (image) resampleImage(image.input, before.image.shape, image.output, after.image.shape, { order: params.order });
    if (label) resampleLabel(label.input, before.label!.shape, label.output, after.label!.shape, { order: params.labelOrder });
  },
  inverse: {
    labels: (input, output, { shape, target, params }) => resampleLabel(input, shape, output, target, { order: params.labelOrder }),
    probabilities: (input, output, { shape, target }) => resampleImage(input, shape, output, target, { order: 1 }),
  },
};

/** ⌊extent·spacing/new spacing⌋; the small term keeps 30·0.1/0.1 from becoming 29. */
function resampledExtent(extent: number, spacing: number, wanted: number): number {
  return Math.max(1, Math.floor((extent * spacing) / wanted + 1e-6));
}
