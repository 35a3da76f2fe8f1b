import { describe, expect, it } from "vitest";
import { ERROR_KINDS, errorColor, errorLabel } from "../../../src/evaluation/figures/error-kinds.js";
import { overlayGif, overlayPng } from "../../../src/evaluation/index.js";
import { decode } from "./pixels.js";

const classes = ["background", "kidney", "tumor"];
/** Halves and quarters of one slice: truth is the left half, the prediction the upper half, of another class in the upper left quarter's left. */
const size = 16;
const label = new Uint8Array(size * size);
const prediction = new Uint8Array(size * size);
for (let y = 0; y < size; y++)
  for (let x = 0; x < size; x++) {
    if (x < size / 2) label[y * size + x] = 1;
    if (y < size / 2) prediction[y * size + x] = x < size / 4 ? 2 : 1;
  }
const content = { id: "case", image: new Float32Array(size * size), label, prediction, shape: [1, size, size], spacing: [1, 1, 1] } as const;
const isNear = ([r, g, b]: readonly number[], [x, y, z]: readonly number[]): boolean =>
  Math.abs(r! - x!) + Math.abs(g! - y!) + Math.abs(b! - z!) < 30;

describe("the map of errors", () => {
  it("tells right, added, missed and confused voxels from each other", () => {
    expect([errorLabel(0, 0), errorLabel(1, 1), errorLabel(0, 2), errorLabel(2, 0), errorLabel(1, 2)]).toEqual([
      0,
      ...[ERROR_KINDS.right, ERROR_KINDS.added, ERROR_KINDS.missed, ERROR_KINDS.confused].map((kind) => kind.label),
    ]);
    expect(errorColor(1)).toBeUndefined();
    expect(errorColor(ERROR_KINDS.added.label)).toEqual(ERROR_KINDS.added.color);
  });

  it("is a third panel in which each kind covers its own area, in PNG and GIF", async () => {
    const options = { classes, errors: true, alpha: 1, outline: false } as const;
    const plain = await decode(await overlayPng(content, { ...options, errors: false }));
    const picture = await decode(await overlayPng(content, options));
    expect(picture.width).toBeGreaterThan(plain.width * 1.4);
    const panel = 320 * 320;
    const shares: [keyof typeof ERROR_KINDS, number][] = [
      ["right", 1 / 8],
      ["confused", 1 / 8],
      ["missed", 1 / 4],
      ["added", 1 / 4],
    ];
    const gif = await decode(await overlayGif(content, options));
    for (const [kind, share] of shares)
      for (const drawn of [picture, gif]) {
        const count = drawn.count((...pixel) => isNear(pixel, ERROR_KINDS[kind].color));
        expect(count / panel, kind).toBeGreaterThan(share * 0.93);
        expect(count / panel, kind).toBeLessThan(share * 1.07);
      }
    // Without a truth there is nothing to compare with.
    const { label: _, ...alone } = content;
    const single = await decode(await overlayPng(alone, options));
    expect(single.width).toBeLessThan(plain.width);
  });

  it("classes may have other colors; a name that is no class is refused", async () => {
    const picture = await decode(await overlayPng(content, { classes, alpha: 1, outline: false, colors: { tumor: [10, 250, 240] } }));
    expect(picture.count((...pixel) => isNear(pixel, [10, 250, 240])) / (320 * 320)).toBeGreaterThan(0.1);
    await expect(overlayPng(content, { classes, colors: { liver: [1, 2, 3] } })).rejects.toThrow(
      'colors must be of the classes background, kidney, tumor, got "liver"',
    );
  });
});
