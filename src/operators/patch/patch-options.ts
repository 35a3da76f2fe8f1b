import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { formatShape, type Triple } from "../../core/shape.js";
import type { ForegroundPlan, PatchPlan } from "./patch-plan.js";

export interface PatchOptions {
  /** Extents [depth, height, width] in voxels. */
  readonly size: Triple;
  /** "random" draws `perCase` patches per case and epoch (the same ones in every validation); "grid" covers the case. Prediction always takes the grid. Default "random". */
  readonly mode?: "random" | "grid";
  /** For "random". Default 1. */
  readonly perCase?: number;
  /** For the grid: voxels that neighbors share. Default 0. */
  readonly overlap?: number | Triple;
  /**
   * Voxels more on each side in training, for `augment` to rotate into view; it trims them. Default: as many as `augment` asks for when it comes next
   * (`skipBlank` may lie between), for each patch what it drew and no farther than the case goes; mostly none. 0 keeps patches to their size.
   */
  readonly margin?: number | Triple;
  /** For "random": share of patches that are drawn around a foreground voxel, which lies anywhere in the patch; a number, or more in detail. Default 0. */
  readonly foreground?: number | PatchForegroundOptions;
  /** For "random": most draws for one patch; draws again while the patch has no label above 0. Default 1. */
  readonly attempts?: number;
}

/** How patches are drawn around foreground; a case without any gets patches from anywhere. */
export interface PatchForegroundOptions {
  /** In 0..1. */
  readonly share: number;
  /** "class": a label is drawn, then one of its voxels; "lesion": a label, then one of its connected components, then one of its voxels, so that a small lesion comes as often as a large one. Default "class". */
  readonly by?: "class" | "lesion";
  /** Labels that count. Default all above 0. */
  readonly classes?: readonly number[];
  /** "random": each patch by chance; "even": of any n patches of a case in a row, n·share, rounded up or down: batches cut from one case hold their share for certain. Default "random". */
  readonly spread?: "random" | "even";
}

/** @throws `ERR_OPTION` when an option is outside its rule */
export function completePatchOptions(options: PatchOptions): PatchPlan {
  requireKnownOptions("patch", options, ["size", "mode", "perCase", "overlap", "margin", "foreground", "attempts"]);
  const { size, mode = "random", perCase = 1, overlap = 0, margin, foreground = 0, attempts = 1 } = options;
  const triple = (value: number | Triple): Triple => (typeof value === "number" ? [value, value, value] : value);
  const isTriple = (value: Triple, least: number) =>
    Array.isArray(value) && value.length === 3 && value.every((n) => Number.isSafeInteger(n) && n >= least);
  const count = (value: number) => Number.isSafeInteger(value) && value >= 1;
  const overlaps = triple(overlap);
  const margins = margin === undefined ? undefined : triple(margin);
  requireOption(isTriple(size, 1), "patch", "size", "three whole numbers >= 1, [depth, height, width]", size);
  requireOption(mode === "random" || mode === "grid", "patch", "mode", '"random" or "grid"', mode);
  requireOption(count(perCase), "patch", "perCase", "a whole number >= 1", perCase);
  const isOverlap = isTriple(overlaps, 0) && overlaps.every((extent, axis) => extent < size[axis]!);
  requireOption(isOverlap, "patch", "overlap", `whole numbers in 0 to less than the size ${formatShape(size)}`, overlap);
  requireOption(!margins || isTriple(margins, 0), "patch", "margin", "a whole number >= 0 or three of them", margin);
  requireOption(count(attempts), "patch", "attempts", "a whole number >= 1", attempts);
  return { size, mode, perCase, overlap: overlaps, ...(margins && { margin: margins }), foreground: foregroundOf(foreground), attempts };
}

function foregroundOf(given: number | PatchForegroundOptions): ForegroundPlan {
  if (typeof given === "number") {
    requireOption(given >= 0 && given <= 1, "patch", "foreground", "in 0..1", given);
    return { share: given, by: "class", spread: "random" };
  }
  requireKnownOptions("patch.foreground", given, ["share", "by", "classes", "spread"]);
  const { share, by = "class", classes, spread = "random" } = given;
  requireOption(share >= 0 && share <= 1, "patch", "foreground.share", "in 0..1", share);
  requireOption(by === "class" || by === "lesion", "patch", "foreground.by", '"class" or "lesion"', by);
  requireOption(spread === "random" || spread === "even", "patch", "foreground.spread", '"random" or "even"', spread);
  const areLabels =
    classes === undefined || (classes.length > 0 && classes.every((label) => Number.isSafeInteger(label) && label >= 1 && label <= 65535));
  requireOption(areLabels, "patch", "foreground.classes", "labels above 0", classes);
  return { share, by, spread, ...(classes && { classes }) };
}
