import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "./fixture/temporary-folder.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Draws curves, an overlay and a film with text of many scripts; prints their hashes and the fonts that the canvas knows. */
const SCRIPT = `
import { createHash } from "node:crypto";
import { curveFigure } from "./dist/evaluation/figures/curve-figure.js";
import { loadCanvas } from "./dist/evaluation/figures/load-canvas.js";
import { overlayGif } from "./dist/evaluation/figures/overlay-gif.js";
import { overlayPng } from "./dist/evaluation/figures/overlay-png.js";
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
const shape = [4, 24, 24];
const voxels = 4 * 24 * 24;
const content = {
  id: "case_00001 ß λ Ж 腎 → ≥", shape, spacing: [3, 1, 1],
  image: Float32Array.from({ length: voxels }, (_, i) => (i * 37) % 400 - 100),
  label: Uint8Array.from({ length: voxels }, (_, i) => (i % 24 > 10 ? 1 : 0)),
  prediction: Uint8Array.from({ length: voxels }, (_, i) => (i % 24 > 12 ? 2 : 0)),
};
const classes = ["background", "kidney 腎", "tumor → ≥"];
const curves = await curveFigure({ title: "Loss ß λ Ж 腎 →", x: [1, 2, 3], curves: [{ name: "training ≥", values: [3, 2, 1] }, { name: "validation", values: [3, 2.5, 2] }] });
const { GlobalFonts } = await loadCanvas();
console.log(JSON.stringify({
  curves: hash(curves), still: hash(await overlayPng(content, { classes, caption: "epoch 12" })), film: hash(await overlayGif(content, { classes })),
  families: GlobalFonts.families.map(({ family }) => family).sort(),
}));`;

function draw(env: NodeJS.ProcessEnv) {
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", SCRIPT], { cwd: ROOT, encoding: "utf8", env });
  return JSON.parse(output) as { curves: string; still: string; film: string; families: string[] };
}

describe("pictures", () => {
  test("are the same, byte for byte, whatever fonts the machine has", () => {
    const rich = temporaryFolder();
    const poor = temporaryFolder();
    // Where Linux, macOS and fontconfig look for the fonts of a user.
    const fonts = join(ROOT, "node_modules/@fontsource/inter/files");
    for (const folder of [".fonts", ".local/share/fonts", "Library/Fonts"]) {
      mkdirSync(join(rich, folder), { recursive: true });
      for (const name of readdirSync(fonts).filter((file) => /-700-(normal|italic)\.woff2$/.test(file)))
        copyFileSync(join(fonts, name), join(rich, folder, name));
      const serif = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf";
      if (existsSync(serif)) copyFileSync(serif, join(rich, folder, "DejaVuSerif.ttf"));
    }
    const { DISABLE_SYSTEM_FONTS_LOAD: _, ...inherited } = process.env;
    const here = draw(inherited);
    // The shipped files, under our names and their own.
    expect(here.families).toEqual(["Inter", "Vox Inter", "Vox Inter Cyrillic", "Vox Inter Ext", "Vox Inter Greek"]);
    expect(draw({ ...inherited, HOME: rich, XDG_DATA_HOME: join(rich, ".local/share") })).toEqual(here);
    expect(draw({ ...inherited, HOME: poor, XDG_DATA_HOME: poor, XDG_DATA_DIRS: poor, FONTCONFIG_FILE: join(poor, "none.conf") })).toEqual(here);
  });
});
