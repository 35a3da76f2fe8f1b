import { rm } from "node:fs/promises";
import { join } from "node:path";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { spatial, type Triple } from "../../core/shape.js";
import { writeAtomically } from "../../io/write-atomically.js";
import type { PreviewInput } from "../../training/run/preview-input.js";
import type { OverlayOptions } from "./overlay-painter.js";
import { overlayPng } from "./overlay-png.js";

export interface PreviewRendererOptions extends Pick<OverlayOptions, "window" | "alpha" | "outline" | "plane" | "panelSize"> {
  /** Voxel size of the patches, for the proportions of other planes than the axial. */
  readonly spacing?: Triple;
  /** Pictures that stay in the folder; older ones are removed. */
  readonly keep?: number;
}

/** What a preview shows: as training gives it after an epoch. */
export type PreviewContent = PreviewInput;

/**
 * Makes the function that draws a run's previews: `previews/epoch-00012.png`, the most telling slice of a patch, ground truth beside prediction.
 *
 * @returns a function that resolves with the picture's path, relative to the run's folder
 * @throws `ERR_OPTION`; in the run `ERR_WRITE`
 * @example
 * await train("kits19.config.ts", { preview: previewRenderer({ keep: 50 }) });
 */
export function previewRenderer({
  spacing = [1, 1, 1],
  keep = 100,
  ...style
}: PreviewRendererOptions = {}): (content: PreviewInput) => Promise<string> {
  requireKnownOptions("previewRenderer", style, ["spacing", "keep", "window", "alpha", "outline", "plane", "panelSize"]);
  requireOption(Number.isInteger(keep) && keep >= 1, "previewRenderer", "keep", "an integer >= 1", keep);
  const nameOf = (epoch: number): string => `previews/epoch-${String(epoch).padStart(5, "0")}.png`;
  const drawn: string[] = [];
  return async ({ id, epoch, image, shape, label, prediction, classes, folder }) => {
    const picture = await overlayPng(
      { id, image, channels: shape[3], label, prediction, shape: spatial(shape), spacing },
      { ...style, classes, caption: `epoch ${epoch}` },
    );
    const name = nameOf(epoch);
    await writeAtomically(join(folder, name), [picture]);
    if (!drawn.includes(name)) drawn.push(name);
    while (drawn.length > keep) await rm(join(folder, drawn.shift()!), { force: true });
    return name;
  };
}
