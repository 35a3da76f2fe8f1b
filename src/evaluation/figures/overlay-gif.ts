import { createRequire } from "node:module";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { loadCanvas } from "./load-canvas.js";
import { indexFrame } from "./overlay-frame.js";
import { OVERLAY_OPTIONS, type OverlayCase, type OverlayOptions, OverlayPainter } from "./overlay-painter.js";

/** What is used of gifenc, which ships no types; and its CommonJS exports reach `import` differently in Node and in bundlers. */
interface Gifenc {
  GIFEncoder(): {
    writeFrame(
      indices: Uint8Array,
      width: number,
      height: number,
      options: { readonly palette: readonly (readonly number[])[]; readonly delay: number; readonly repeat: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  };
}

const { GIFEncoder } = createRequire(import.meta.url)("gifenc") as Gifenc;

export interface OverlayGifOptions extends OverlayOptions {
  readonly framesPerSecond?: number;
  /** More slices than this are thinned out evenly, to keep the file small. */
  readonly maxFrames?: number;
}

/**
 * An animated GIF through the slices of a case: ground truth beside prediction over the windowed image.
 *
 * @throws `ERR_OPTION`, `ERR_SHAPE`
 * @example
 * await writeFile("case_00001.gif", await overlayGif({ id, image, label, prediction, shape, spacing }, { classes, window: { min: -160, max: 240 } }));
 */
export async function overlayGif(content: OverlayCase, { framesPerSecond = 10, maxFrames = 96, ...options }: OverlayGifOptions): Promise<Uint8Array> {
  requireKnownOptions("overlayGif", options, ["framesPerSecond", "maxFrames", ...OVERLAY_OPTIONS]);
  requireOption(framesPerSecond > 0 && framesPerSecond <= 50, "overlayGif", "framesPerSecond", "in (0, 50]", framesPerSecond);
  requireOption(Number.isInteger(maxFrames) && maxFrames >= 1, "overlayGif", "maxFrames", "an integer >= 1", maxFrames);
  const painter = new OverlayPainter(await loadCanvas(), content, options);
  const count = Math.min(maxFrames, painter.plane.slices);
  const encoder = GIFEncoder();
  for (let frame = 0; frame < count; frame++) {
    const slice = count === 1 ? Math.floor(painter.plane.slices / 2) : Math.round((frame * (painter.plane.slices - 1)) / (count - 1));
    const { palette, indices } = indexFrame(painter.paint(slice));
    encoder.writeFrame(indices, painter.width, painter.height, { palette, delay: Math.round(1000 / framesPerSecond), repeat: 0 });
  }
  encoder.finish();
  return encoder.bytes();
}
