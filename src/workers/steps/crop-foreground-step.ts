import { transformGeometry } from "../../core/geometry.js";
import { type Shape4, spatial, type Triple } from "../../core/shape.js";
import { copyBox } from "../../kernels/copy-box/copy-box.js";
import { foregroundBox } from "../../kernels/foreground-box/foreground-box.js";
import { statistics } from "../../kernels/statistics/statistics.js";
import { inPlacePlan, regridPlan, type Step, type StepReturn } from "./step.js";

export interface CropForegroundParams {
  /** Foreground lies above it in any channel; "minimum": above the smallest voxel of the channel. */
  readonly above: number | "minimum";
  /** Voxels that stay around the foreground, as far as there are any. */
  readonly margin: Triple;
  readonly measured?: { readonly start: Triple; readonly size: Triple };
}

/** The smallest box with all foreground. */
export const cropForegroundStep: Step<CropForegroundParams> = {
  measure({ image, layout, params: { above, margin } }) {
    const { shape } = layout.image;
    const channels = shape[3];
    const limits = above === "minimum" ? statistics(image, { channels }).map(({ min }) => min) : new Array<number>(channels).fill(above);
    const box = foregroundBox(image, shape, limits);
    if (!box) return { start: [0, 0, 0], size: spatial(shape) };
    const start = box.start.map((first, axis) => Math.max(0, first - margin[axis]!));
    return { start, size: box.start.map((first, axis) => Math.min(shape[axis]!, first + box.size[axis]! + margin[axis]!) - start[axis]!) };
  },
  plan(layout, { measured }) {
    const whole = spatial(layout.image.shape);
    // The largest that it can become: the sample as it is, in memory of its own.
    if (!measured) return regridPlan(layout, whole, layout.image.geometry);
    if (measured.size.every((extent, axis) => extent === whole[axis])) return inPlacePlan(layout, { image: "keep" });
    return regridPlan(layout, measured.size, transformGeometry(layout.image.geometry, [1, 1, 1], measured.start));
  },
  apply({ image, label, params, before, after }) {
    const { start } = params.measured!;
    if (image) copyBox(image.input, before.image.shape, image.output, after.image.shape, start);
    if (label) copyBox(label.input, before.label!.shape, label.output, after.label!.shape, start);
  },
  inverse: {
    labels: (input, output, { shape, target, params }) => copyBox(input, shape, output, target, startBack(params)),
    probabilities: (input, output, { shape, target, params, outside }) =>
      copyBox(input, shape, output, target, startBack(params), backgroundScores(shape, outside)),
  },
};

/** Where the whole begins, seen from the box. */
function startBack({ measured }: StepReturn<CropForegroundParams>["params"]): Triple {
  const [z, y, x] = measured!.start;
  return [0 - z, 0 - y, 0 - x];
}

/** What was cut away is background for certain. */
function backgroundScores([, , , channels]: Shape4, outside = 0): number[] {
  if (channels === 1) return [outside];
  return Array.from({ length: channels }, (_, c) => (c === 0 ? 1 : 0));
}
