import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { VoxError } from "../../core/errors.js";

export type CanvasModule = typeof import("@napi-rs/canvas");

/** For `ctx.font` and Chart.js: Inter with its parts for other scripts as fallbacks. */
export const FIGURE_FONT = '"Vox Inter", "Vox Inter Ext", "Vox Inter Greek", "Vox Inter Cyrillic"';

const PARTS = [
  ["Vox Inter", "latin"],
  ["Vox Inter Ext", "latin-ext"],
  ["Vox Inter Greek", "greek"],
  ["Vox Inter Cyrillic", "cyrillic"],
] as const;

let loading: Promise<CanvasModule> | undefined;

/**
 * The canvas, with the shipped font registered. Figures look the same on every machine: system fonts are never read, because a container without
 * fonts draws no text at all and says nothing.
 *
 * Loaded on first use: it is 30 MB that a run without figures does not need.
 *
 * @throws `ERR_READ` when the font package is missing
 * @example
 * const { createCanvas } = await loadCanvas();
 */
export function loadCanvas(): Promise<CanvasModule> {
  loading ??= load();
  return loading;
}

async function load(): Promise<CanvasModule> {
  // Read by the canvas when it is loaded, so it must be set before.
  process.env.DISABLE_SYSTEM_FONTS_LOAD = "1";
  const canvas = await import("@napi-rs/canvas");
  const folder = join(dirname(createRequire(import.meta.url).resolve("@fontsource/inter/package.json")), "files");
  for (const [family, subset] of PARTS) {
    for (const weight of [400, 600]) {
      const path = join(folder, `inter-${subset}-${weight}-normal.woff2`);
      if (!existsSync(path) || !canvas.GlobalFonts.registerFromPath(path, family)) {
        throw new VoxError(`the font file ${path} must be readable; reinstall @fontsource/inter`, { code: "ERR_READ", where: "figures" });
      }
    }
  }
  return canvas;
}
