import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCanvas } from "@napi-rs/canvas";
import { expect, it } from "vitest";
import { isVoxError } from "../../src/core/errors.js";
import { elementCount } from "../../src/core/shape.js";
import { readHeader, readLabel, readVolume } from "../../src/io/index.js";
import { metaBytes, nrrdBytes, pngBytes, tiffBytes } from "./format-bytes.js";
import { scratchFolder } from "./scratch-folder.js";

const { root } = scratchFolder();
const TRIALS = 150;
/** No file here could hold more, at the best compression there is. */
const MOST_VOXELS = 64e6;

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const voxels = Uint8Array.from({ length: 480 }, (_, n) => (n * 7) % 5);
const space = { dimension: "3", sizes: "8 6 5", space: "LPS", "space directions": "(1,0,0) (0,1,0) (0,0,2)", "space origin": "(0,0,0)" };
const meta = { NDims: "3", DimSize: "8 6 5", ElementSpacing: "1 1 2", Offset: "0 0 0", ElementType: "MET_SHORT" };
const gray = { width: 20, height: 24, bitDepth: 8, rows: voxels };
const canvas = createCanvas(24, 16);
canvas.getContext("2d").fillRect(3, 3, 9, 9);
// 2 x 2 pixels; see the tests of GIF.
const gif = Buffer.from("47494638396102000200810000000000ff000000ff000908072c0000000002000200000203443405003b", "hex");

const FILES: Readonly<Record<string, Uint8Array>> = {
  "a.nrrd": nrrdBytes({ type: "short", endian: "little", ...space }, voxels),
  "b.nrrd": nrrdBytes({ type: "short", endian: "big", ...space }, voxels, "gzip"),
  "a.mha": metaBytes(meta, voxels),
  "b.mha": metaBytes(meta, voxels, true),
  "a.png": pngBytes({ ...gray, colorType: 0 }),
  "b.png": pngBytes({ ...gray, colorType: 3, palette: Uint8Array.from({ length: 15 }, (_, n) => n) }),
  "a.tif": tiffBytes({ width: 8, height: 6, pages: [voxels.subarray(0, 96), voxels.subarray(96, 192)], bits: 16 }),
  "b.tif": tiffBytes({ width: 20, height: 24, pages: [voxels], bits: 8, deflate: true }),
  "a.jpg": canvas.encodeSync("jpeg", 90),
  "a.gif": gif,
};

it.each(Object.keys(FILES))("any change of %s is read, or named with the file", { timeout: 120_000 }, async (name) => {
  const path = join(root, name);
  const whole = FILES[name]!;
  const draw = random(name.charCodeAt(0) * 1000 + name.length + name.charCodeAt(2));
  let failures = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    let bytes = Buffer.from(whole);
    // Most changes fall where headers are.
    const place = (): number => Math.floor(draw() ** 2 * bytes.length);
    for (let n = Math.floor(draw() * 4); n >= 0; n--)
      bytes[place()] = draw() < 0.3 ? 255 : draw() < 0.3 ? 48 + Math.floor(draw() * 10) : Math.floor(draw() * 256);
    if (draw() < 0.2) bytes = bytes.subarray(0, Math.floor(draw() * bytes.length));
    writeFileSync(path, bytes);
    for (const role of ["image", "label"] as const) {
      try {
        const header = await readHeader(path, { role });
        const count = elementCount(header.shape);
        expect(count).toBeLessThanOrEqual(MOST_VOXELS);
        if (role === "image") readVolume(header, new Float32Array(count), { nonFinite: "replace" });
        else readLabel(header, new Uint16Array(count));
      } catch (error) {
        if (!isVoxError(error)) throw error;
        // A changed name of the data file is named itself.
        expect(error.where === path || name.endsWith(".mha")).toBe(true);
        failures++;
      }
    }
  }
  // Not all changes may be harmless, or the test would be about something else.
  expect(failures).toBeGreaterThan(TRIALS / 10);
});
