import { join } from "node:path";
import { spatial } from "../core/shape.js";
import { writeAtomically } from "../io/write-atomically.js";
import type { PreviewInput } from "../training/preview-input.js";
import { overlayPng } from "./figures/overlay-png.js";

/**
 * Renders the first validation patch of an epoch, truth beside prediction, as `figures/preview/epoch-0001.png` in the run's folder.
 *
 * @returns the path, relative to the run's folder
 * @throws `ERR_WRITE`
 * @example
 * await train("kits19.config.mjs", { preview: previewPng });
 */
export async function previewPng({ id, epoch, image, shape, label, prediction, classes, folder }: PreviewInput): Promise<string> {
  const path = `figures/preview/epoch-${String(epoch).padStart(4, "0")}.png`;
  const picture = await overlayPng(
    { id, image, channels: shape[3], label, prediction, shape: spatial(shape), spacing: [1, 1, 1] },
    { classes, caption: `epoch ${epoch}` },
  );
  await writeAtomically(join(folder, path), [picture]);
  return path;
}
