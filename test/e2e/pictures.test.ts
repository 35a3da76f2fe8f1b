import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { readHeader, readLabel } from "../../src/io/index.js";
import { pngBytes } from "../io/format-bytes.js";

const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "voxstream-pictures-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [width, height] = [32, 24];

/** Bright discs on dark ground, with masks of 0 and 255. */
function writeDiscs(place: string, first: number, count: number): void {
  for (const name of ["images", "masks"]) mkdirSync(join(folder, place, name), { recursive: true });
  for (let n = first; n < first + count; n++) {
    const inside = (at: number): boolean => Math.hypot((at % width) - 9 - (n % 12), Math.floor(at / width) - 8 - (n % 7)) < 5 + (n % 3);
    const picture = { width, height, bitDepth: 8, colorType: 0 };
    const pixels = Uint8Array.from({ length: width * height }, (_, at) => (inside(at) ? 180 : 60) + ((at * 31 + n * 7) % 23));
    writeFileSync(join(folder, place, "images", `disc_${n}.png`), pngBytes({ ...picture, rows: pixels }));
    writeFileSync(join(folder, place, "masks", `disc_${n}.png`), pngBytes({ ...picture, rows: pixels.map((_, at) => (inside(at) ? 255 : 0)) }));
  }
}

const run = (...args: readonly string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [program, ...args], { cwd: folder, maxBuffer: 1 << 26 });

it("discs in PNG files train a 2D network, are predicted as PNG files and scored, by the command line", { timeout: 600_000 }, async () => {
  writeDiscs("train", 0, 10);
  writeDiscs("new", 20, 3);
  const config = join(folder, "discs.config.mjs");
  writeFileSync(
    config,
    `import { batch, defineConfig, imageCases, load, normalize, patch, tverskyLoss, unet } from "voxstream";
export default defineConfig({
  name: "discs",
  data: imageCases({ root: "train", classes: ["background", "disc"], labels: { 255: 1 } }),
  graph: ({ cases }) => cases.pipe(load(), normalize(), patch({ size: [1, 24, 32], perCase: 2 }), batch({ size: 2 })),
  model: unet({ filters: 8, depth: 2, normalization: "instance" }),
  loss: tverskyLoss(),
  training: { epochs: 12, learningRate: 1e-2 },
});
`,
  );
  await run("train", config);
  await run("predict", "runs/discs/checkpoints/latest", "-i", "new/images", "-o", "predictions");
  expect(readdirSync(join(folder, "predictions")).sort()).toEqual(["disc_20.png", "disc_21.png", "disc_22.png", "prediction.json"]);
  const header = await readHeader(join(folder, "predictions/disc_20.png"), { role: "label" });
  expect([header.shape, header.dtype]).toEqual([[1, height, width, 1], "uint8"]);
  const labels = new Uint8Array(width * height);
  expect(readLabel(header, labels)).toEqual([0, 1]);
  const { stdout } = await run("evaluate", "predictions", "new/masks", "--classes", "background,disc", "--map-labels", "255=1", "--json");
  const summary = JSON.parse(stdout) as { readonly meanOverClasses: { readonly dice: { readonly mean: number } } };
  expect(summary.meanOverClasses.dice.mean).toBeGreaterThan(0.8);
  await expect(run("evaluate", "predictions", "new/masks", "--classes", "background,disc")).rejects.toThrow("--map-labels 255=1");
  // What is there is left out, also as PNG.
  const again = await run("predict", "runs/discs/checkpoints/latest", "-i", "new/images", "-o", "predictions", "--json");
  expect((JSON.parse(again.stdout) as { readonly present: readonly string[] }).present).toEqual(["disc_20", "disc_21", "disc_22"]);
});
