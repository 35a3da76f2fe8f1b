import { requireOption } from "../../core/errors.js";
import type { Shape4, Triple } from "../../core/shape.js";
import type { ChannelValues } from "../channel-values.js";
import { copyBox } from "../copy-box/copy-box.js";
import { native } from "../native.js";
import type { VoxelArray } from "../voxel-array.js";
import { padOutsideReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    /** mode: 0 edge, 1 reflect, 2 minimum. */
    padOutside?(output: VoxelArray, outShape: readonly number[], shape: readonly number[], before: readonly number[], mode: number): void;
  }
}

export type PadMode = "constant" | "edge" | "reflect" | "minimum";

export interface PadVolumeOptions {
  /** "constant": `value`; "edge": the nearest voxel; "reflect": mirrored at the border voxel; "minimum": the smallest voxel of each line, axis by axis. */
  readonly mode: PadMode;
  /** For "constant". Default 0. */
  readonly value?: ChannelValues;
}

/**
 * Puts the image at `before` into a larger array and fills the rest by `mode`, axis by axis. Any element type. No extra memory.
 *
 * @shape input (D, H, W, C) → outShape (d, h, w, C), each extent >= before + extent of the input
 * @throws `ERR_OPTION` when the image does not fit at `before`
 * @source numpy.pad (modes constant, edge, reflect, minimum)
 */
export function padVolume<A extends VoxelArray>(
  input: A,
  shape: Shape4,
  output: A,
  outShape: Shape4,
  before: Triple,
  options: PadVolumeOptions,
): void {
  const { mode, value = 0 } = options;
  const fits = before.every((start, axis) => start >= 0 && start + shape[axis]! <= outShape[axis]!);
  requireOption(fits, "padVolume", "before", `>= 0 with room for ${shape.join("x")} in ${outShape.join("x")}`, before);
  copyBox(input, shape, output, outShape, [-before[0], -before[1], -before[2]], mode === "constant" ? value : 0);
  if (mode === "constant") return;
  const addon = native();
  if (addon?.padOutside) addon.padOutside(output, outShape, shape, before, ["edge", "reflect", "minimum"].indexOf(mode));
  else padOutsideReference(output, outShape, shape, before, mode);
}
