import { transformGeometry } from "../../core/geometry.js";
import type { Margin } from "../../core/sample.js";
import type { Triple } from "../../core/shape.js";
import { copyBox } from "../../kernels/copy-box/copy-box.js";
import { statistics } from "../../kernels/statistics/statistics.js";
import { regridPlan, type Step } from "./step.js";

export interface PatchParams {
  /** First voxel of the box, margin included; may lie outside the case. */
  readonly start: Triple;
  /** Extents of the box, margin included. */
  readonly size: Triple;
  readonly margin?: Margin;
}

/** Copies one box; what lies outside the case is background: the smallest voxel of each channel, label 0. */
export const patchStep: Step<PatchParams> = {
  plan: (layout, { start, size }) => regridPlan(layout, size, transformGeometry(layout.image.geometry, [1, 1, 1], start)),
  apply({ image, label, params, before, after }) {
    if (image) {
      const channels = before.image.shape[3];
      const isInside = params.start.every((first, axis) => first >= 0 && first + params.size[axis]! <= before.image.shape[axis]!);
      const fill = isInside ? 0 : statistics(image.input, { channels }).map(({ min }) => min);
      copyBox(image.input, before.image.shape, image.output, after.image.shape, params.start, fill);
    }
    if (label) copyBox(label.input, before.label!.shape, label.output, after.label!.shape, params.start);
  },
};
