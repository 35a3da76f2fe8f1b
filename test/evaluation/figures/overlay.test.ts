import { describe, expect, it } from "vitest";
import type { Triple } from "../../../src/core/shape.js";
import { classColor } from "../../../src/evaluation/figures/class-color.js";
import { intensityWindow } from "../../../src/evaluation/figures/intensity-window.js";
import { indexFrame, overlayColor } from "../../../src/evaluation/figures/overlay-frame.js";
import { overlayGif } from "../../../src/evaluation/figures/overlay-gif.js";
import type { OverlayCase } from "../../../src/evaluation/figures/overlay-painter.js";
import { overlayPng } from "../../../src/evaluation/figures/overlay-png.js";
import { slicePlane } from "../../../src/evaluation/figures/slice-plane.js";
import { tellingSlice } from "../../../src/evaluation/figures/telling-slice.js";
import { decode, gifFrames } from "./pixels.js";

const CLASSES = ["background", "kidney", "tumor"];
const WINDOW = { min: -160, max: 240 };
const SHAPE: Triple = [4, 8, 8];

/** A gray body with one anterior right voxel block of label 1 (reference) and one posterior left of label 2 (prediction), in slice 2. */
function example(): OverlayCase {
  const image = new Float32Array(4 * 64).fill(60);
  const label = new Uint8Array(image.length);
  const prediction = new Uint8Array(image.length);
  const at = (z: number, y: number, x: number): number => (z * 8 + y) * 8 + x;
  for (let y = 6; y < 8; y++) for (let x = 6; x < 8; x++) label[at(2, y, x)] = 1;
  for (let y = 0; y < 2; y++) for (let x = 0; x < 2; x++) prediction[at(2, y, x)] = 2;
  return { id: "case_00007", image, label, prediction, shape: SHAPE, spacing: [3, 1, 1] };
}

// Panels of 320 pixels: left margin 14, header 40 and title 26 above, gap 12.
const LEFT = 14;
const RIGHT = 14 + 320 + 12;
const TOP = 66;

describe("overlay PNG", () => {
  it("shows the patient as a radiologist sees it: anterior up, the right side at the left; ground truth left, prediction right", async () => {
    const picture = await decode(await overlayPng(example(), { classes: CLASSES, window: WINDOW }));
    expect(picture.width).toBe(680);
    const gray = Math.round(((60 + 160) / 400) * 255);
    const [red, blue] = [classColor(1), classColor(2)];
    const mix = (color: readonly number[]): number[] => color.map((channel) => Math.round(0.7 * gray + 0.3 * channel));
    // Anterior right block of the reference: upper left corner of the left panel (40 pixels per voxel).
    expect(picture.at(LEFT + 40, TOP + 40)).toEqual(mix(red));
    expect(picture.at(LEFT, TOP)).toEqual([...red]);
    // Posterior left block of the prediction: lower right corner of the right panel.
    expect(picture.at(RIGHT + 280, TOP + 280)).toEqual(mix(blue));
    expect(picture.at(RIGHT + 319, TOP + 319)).toEqual([...blue]);
    // The same places of the other panels are plain gray.
    expect(picture.at(RIGHT + 40, TOP + 40)).toEqual([gray, gray, gray]);
    expect(picture.at(LEFT + 280, TOP + 280)).toEqual([gray, gray, gray]);
    // Each colored block has its size: 80x80 pixels, tinted or outlined.
    const isRed = (r: number, g: number, b: number): boolean => r > g + 20 && r > b + 20;
    expect(picture.count(isRed, [LEFT, TOP, 320, 320])).toBe(6400);
    expect(picture.count(isRed, [RIGHT, TOP, 320, 320])).toBe(0);
  });

  it("draws id, slice number, titles, sides and legend without system fonts", async () => {
    const content = example();
    const picture = await decode(await overlayPng(content, { classes: CLASSES, window: WINDOW, caption: "epoch 12", scores: { 1: "Dice 0.93" } }));
    const ink = (r: number, g: number, b: number): boolean => r > 150 && Math.abs(r - g) < 12 && Math.abs(g - b) < 12;
    expect(picture.count(ink, [0, 0, 340, 40])).toBeGreaterThan(300); // id and caption
    expect(picture.count(ink, [500, 0, 180, 40])).toBeGreaterThan(200); // axial slice 3/4
    expect(picture.count(ink, [LEFT, 40, 320, 26])).toBeGreaterThan(150); // Ground truth
    expect(picture.count(ink, [RIGHT, 40, 320, 26])).toBeGreaterThan(100); // Prediction
    expect(picture.count(ink, [0, TOP + 320, 680, picture.height - TOP - 320])).toBeGreaterThan(250); // legend
    const isRed = (r: number, g: number, b: number): boolean => r === classColor(1)[0] && g === classColor(1)[1] && b === classColor(1)[2];
    expect(picture.count(isRed, [0, TOP + 320, 680, picture.height - TOP - 320])).toBe(144); // swatch
    const other = await decode(await overlayPng({ ...content, id: "x" }, { classes: CLASSES, window: WINDOW }));
    expect(other.count(ink, [0, 0, 340, 40])).toBeLessThan(picture.count(ink, [0, 0, 340, 40]) / 3);
  });

  it("the window decides what is black and what is white", async () => {
    const plain = {
      id: "plain",
      image: Float32Array.from({ length: 256 }, (_, i) => (i % 8 < 4 ? -500 : 900)),
      shape: SHAPE,
      spacing: [1, 1, 1] as Triple,
    };
    const picture = await decode(await overlayPng(plain, { classes: CLASSES, window: WINDOW }));
    // One panel in the middle; x grows to the patient's right, which is the viewer's left.
    const left = Math.round((picture.width - 320) / 2);
    expect(picture.at(left + 20, TOP + 100)).toEqual([255, 255, 255]);
    expect(picture.at(left + 300, TOP + 100)).toEqual([0, 0, 0]);
  });

  it("keeps proportions of anisotropic voxels and enlarges small volumes", async () => {
    const content = { ...example(), spacing: [3, 1, 1] as Triple };
    const coronal = await decode(await overlayPng(content, { classes: CLASSES, window: WINDOW, plane: "coronal" }));
    // 4 slices of 3 mm by 8 columns of 1 mm: 12 by 8 mm, so 320 by 213 pixels a panel.
    expect(coronal.width).toBe(2 * 213 + 12 + 28);
    const isRed = (r: number, g: number, b: number): boolean => r > g + 20 && r > b + 20;
    const sagittal = await decode(await overlayPng(content, { classes: CLASSES, window: WINDOW, plane: "sagittal", slice: 7 }));
    // Slice 2 of 4 is the second row from above (superior up), anterior is at the left.
    const reds = sagittal.count(isRed, [LEFT, TOP, 213, 320]);
    expect(reds).toBeGreaterThan(0);
    expect(sagittal.count(isRed, [LEFT, TOP + 80, 54, 80])).toBe(reds);
  });

  it("wrong arrays and options are named", async () => {
    const content = example();
    await expect(overlayPng({ ...content, label: new Uint8Array(3) }, { classes: CLASSES })).rejects.toThrow(
      "overlay: the label must have 256 elements for shape 4x8x8, got 3 (sample case_00007)",
    );
    await expect(overlayPng(content, { classes: CLASSES, slice: 4 })).rejects.toThrow("overlay: slice must be 0..3, got 4");
    await expect(overlayPng(content, { classes: CLASSES, window: { min: 1, max: 1 } })).rejects.toThrow("window must be a range with max > min");
    await expect(overlayPng(content, { classes: CLASSES, alpha: 2 })).rejects.toThrow("alpha must be 0..1, got 2");
    await expect(overlayGif(content, { classes: CLASSES, framesPerSecond: 0 })).rejects.toThrow("framesPerSecond must be in (0, 50], got 0");
  });

  it("of several channels the first is shown", async () => {
    const image = Float32Array.from({ length: 512 }, (_, i) => (i % 2 === 0 ? 240 : -160));
    const picture = await decode(
      await overlayPng({ id: "two", image, channels: 2, shape: SHAPE, spacing: [1, 1, 1] }, { classes: CLASSES, window: WINDOW }),
    );
    expect(picture.at(Math.round(picture.width / 2), TOP + 100)).toEqual([255, 255, 255]);
  });
});

describe("overlay GIF", () => {
  it("has one frame per slice, loops, and its colors are those of the classes", async () => {
    const content = { ...example(), label: new Uint8Array(256).fill(1) };
    const gif = await overlayGif(content, { classes: CLASSES, window: WINDOW, framesPerSecond: 5 });
    expect(gifFrames(gif)).toEqual({ frames: 4, delays: [200, 200, 200, 200], loops: true });
    const first = await decode(gif);
    expect(first.at(LEFT, TOP)).toEqual([...classColor(1)]);
    const [r, g, b] = first.at(LEFT + 100, TOP + 100);
    const gray = Math.round(0.55 * 255);
    for (const [got, color] of [
      [r, classColor(1)[0]],
      [g, classColor(1)[1]],
      [b, classColor(1)[2]],
    ] as const)
      expect(Math.abs(got - (0.7 * gray + 0.3 * color))).toBeLessThan(4);
    expect(first.at(RIGHT + 100, TOP + 100)[0]).toBe(first.at(RIGHT + 100, TOP + 100)[2]);
  });

  it("thins out many slices evenly, first and last included", async () => {
    const content = { id: "long", image: new Float32Array(50 * 4), shape: [50, 2, 2] as Triple, spacing: [1, 1, 1] as Triple };
    expect(gifFrames(await overlayGif(content, { classes: CLASSES, panelSize: 32, maxFrames: 7 })).frames).toBe(7);
    expect(gifFrames(await overlayGif({ ...content, shape: [1, 10, 20] }, { classes: CLASSES, panelSize: 32 })).frames).toBe(1);
  });
});

describe("indexFrame", () => {
  it("gives every pixel a color within half a gray step of its own, and class colors exactly", () => {
    const gray = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
    const tint = Uint32Array.from({ length: 512 }, (_, i) => (i < 256 ? 0 : i % 5));
    const { palette, indices } = indexFrame({ width: 512, height: 1, gray, tint, alpha: 0.3 });
    expect(palette.length).toBeLessThanOrEqual(256);
    indices.forEach((index, i) => {
      const wanted = overlayColor(gray[i]!, tint[i]!, 0.3);
      palette[index]!.forEach((channel, c) => {
        expect(Math.abs(channel - wanted[c]!)).toBeLessThanOrEqual(tint[i]! % 2 === 0 && tint[i] !== 0 ? 0 : 3);
      });
    });
  });

  it("holds sixty classes in one slice, and never more than 256 colors", () => {
    for (const classes of [1, 12, 60, 200, 300]) {
      const tint = Uint32Array.from({ length: 4000 }, (_, i) => i % (2 * classes + 1));
      const { palette, indices } = indexFrame({ width: 4000, height: 1, gray: new Uint8Array(4000).fill(128), tint, alpha: 0.3 });
      expect(palette.length).toBeLessThanOrEqual(256);
      expect(Math.max(...indices)).toBeLessThan(palette.length);
    }
  });
});

describe("what is shown", () => {
  it("the telling slice weighs a small tumor as much as a large kidney", () => {
    const label = new Uint8Array(4 * 64);
    label.fill(1, 0, 60); // slice 0: 60 kidney voxels of 90
    label.fill(1, 64, 94); // slice 1: the other 30, and the whole tumor
    label.fill(2, 94, 96);
    const plane = slicePlane("axial", SHAPE, [1, 1, 1]);
    expect(tellingSlice(plane, [label])).toBe(1);
    expect(tellingSlice(plane, [])).toBe(2);
    expect(tellingSlice(plane, [new Uint8Array(256)])).toBe(2);
  });

  it("an unknown window ignores outliers and NaN", () => {
    const image = Float32Array.from({ length: 1000 }, (_, i) => (i === 0 ? 1e6 : i === 1 ? Number.NaN : i % 100));
    expect(intensityWindow(image)).toEqual({ min: 0, max: 99 });
    expect(intensityWindow(new Float32Array(5).fill(3))).toEqual({ min: 2.5, max: 3.5 });
    expect(intensityWindow(new Float32Array(0))).toEqual({ min: 0, max: 1 });
    const ct = Float32Array.from({ length: 1000 }, (_, i) => (i < 300 ? -1000 : i / 5));
    expect(intensityWindow(ct)).toEqual({ min: -160, max: 240 });
  });

  it("the first sixty class colors differ from each other and from gray", () => {
    const colors = Array.from({ length: 60 }, (_, i) => classColor(i + 1));
    expect(new Set(colors.map(String)).size).toBe(60);
    for (const color of colors) expect(Math.max(...color) - Math.min(...color)).toBeGreaterThan(40);
    for (let i = 0; i < 12; i++) for (let j = 0; j < i; j++) expect(Math.hypot(...colors[i]!.map((c, k) => c - colors[j]![k]!))).toBeGreaterThan(50);
  });
});
