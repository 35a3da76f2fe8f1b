import { transformGeometry } from "../../core/geometry.js";
import { type Shape4, spatial, type Triple } from "../../core/shape.js";
import { copyBox } from "../../kernels/copy-box/copy-box.js";
import { type PadMode, padVolume } from "../../kernels/pad-volume/pad-volume.js";
import { statistics } from "../../kernels/statistics/statistics.js";
import { inPlacePlan, regridPlan, type Step } from "./step.js";

export interface PadParams {
  readonly minSize: Triple;
  readonly divisor: Triple;
  readonly mode: PadMode;
  /** For "constant": a number, or the smallest voxel of each channel. */
  readonly value: number | "minimum";
  readonly labelValue: number;
}

/** Enlarges to a least size and to multiples of a divisor; the odd voxel goes behind. */
export const padStep: Step<PadParams> = {
  plan(layout, params) {
    const size = spatial(layout.image.shape);
    const padded = paddedSize(size, params);
    if (padded.every((extent, axis) => extent === size[axis])) return inPlacePlan(layout, { image: "keep" });
    const [z, y, x] = paddingBefore(size, padded);
    return regridPlan(layout, padded, transformGeometry(layout.image.geometry, [1, 1, 1], [-z, -y, -x]));
  },
  apply({ image, label, params, before, after }) {
    const start = paddingBefore(spatial(before.image.shape), spatial(after.image.shape));
    if (image) {
      const { mode } = params;
      const channels = before.image.shape[3];
      const value =
        mode === "constant" && params.value === "minimum" ? statistics(image.input, { channels }).map(({ min }) => min) : Number(params.value) || 0;
      padVolume(image.input, before.image.shape, image.output, after.image.shape, start, { mode, value });
    }
    if (label && before.label && after.label) {
      // The smallest label of a line says nothing: only modes that copy whole voxels make sense for labels.
      const mode = params.mode === "minimum" ? "constant" : params.mode;
      padVolume(label.input, before.label.shape, label.output, after.label.shape, start, { mode, value: params.labelValue });
    }
  },
  inverse: {
    labels: (input, output, { shape, target }) => copyBox(input, shape, output, target, paddingBefore(spatial(target), spatial(shape))),
    probabilities: (input, output, { shape, target }) => copyBox(input, shape, output, target, paddingBefore(spatial(target), spatial(shape))),
  },
};

function paddedSize(size: Triple, { minSize, divisor }: PadParams): Triple {
  const extent = (axis: 0 | 1 | 2) => Math.ceil(Math.max(size[axis], minSize[axis]) / divisor[axis]) * divisor[axis];
  return [extent(0), extent(1), extent(2)];
}

function paddingBefore(size: Shape4 | Triple, padded: Shape4 | Triple): Triple {
  return [Math.floor((padded[0] - size[0]) / 2), Math.floor((padded[1] - size[1]) / 2), Math.floor((padded[2] - size[2]) / 2)];
}
