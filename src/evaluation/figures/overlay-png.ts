import { requireKnownOptions } from "../../core/require-known-options.js";
import { loadCanvas } from "./load-canvas.js";
import { overlayPixels } from "./overlay-frame.js";
import { OVERLAY_OPTIONS, type OverlayCase, type OverlayOptions, OverlayPainter } from "./overlay-painter.js";
import { tellingSlice } from "./telling-slice.js";

export interface OverlayPngOptions extends OverlayOptions {
  /** Counted from the inferior, posterior or left end; the most telling one where absent. */
  readonly slice?: number;
}

/**
 * A PNG of one slice of a case: ground truth beside prediction over the windowed image. Also the preview that training shows.
 *
 * @throws `ERR_OPTION`, `ERR_SHAPE`
 * @example
 * await writeFile("preview.png", await overlayPng({ id, image, label, prediction, shape, spacing }, { classes, caption: "epoch 12" }));
 */
export async function overlayPng(content: OverlayCase, { slice, ...options }: OverlayPngOptions): Promise<Uint8Array> {
  requireKnownOptions("overlayPng", options, ["slice", ...OVERLAY_OPTIONS]);
  const canvasModule = await loadCanvas();
  const painter = new OverlayPainter(canvasModule, content, options);
  const maps = [content.label, content.prediction].filter((map) => map !== undefined);
  const frame = painter.paint(slice ?? tellingSlice(painter.plane, maps));
  const canvas = canvasModule.createCanvas(frame.width, frame.height);
  const ctx = canvas.getContext("2d");
  const pixels = ctx.createImageData(frame.width, frame.height);
  pixels.data.set(overlayPixels(frame));
  ctx.putImageData(pixels, 0, 0);
  return canvas.encode("png");
}
