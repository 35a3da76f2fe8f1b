import { describe, expect, it } from "vitest";
import { confusionFigure } from "../../../src/evaluation/index.js";
import { decode, type Picture } from "./pixels.js";

const isBlue = (r: number, _: number, b: number): boolean => b - r > 60;
const isRed = (r: number, _: number, b: number): boolean => r - b > 25;

/** Cells of three classes are 112 pixels, drawn twice as fine, at the right border's distance of 30 and the lower's of 24. */
function cellOf(picture: Picture, row: number, column: number): readonly [number, number, number, number] {
  const size = 2 * 112;
  const left = picture.width - 2 * 30 - 3 * size;
  const top = picture.height - 2 * 24 - 3 * size;
  return [left + column * size + 4, top + row * size + 4, size - 8, size - 8];
}

describe("a confusion figure", () => {
  it("has what is right in blue, what is confused in red, and white where nothing is", async () => {
    const picture = await decode(
      await confusionFigure({
        classes: ["one", "two", "six"],
        confusion: [
          [100, 0, 0],
          [50, 50, 0],
          [0, 100, 0],
        ],
      }),
    );
    const area = 216 * 216;
    const share = (test: typeof isBlue, row: number, column: number): number => picture.count(test, cellOf(picture, row, column)) / area;
    expect(share(isBlue, 0, 0)).toBeGreaterThan(0.8);
    expect(share(isBlue, 1, 1)).toBeGreaterThan(0.8);
    expect(share(isRed, 1, 0)).toBeGreaterThan(0.8);
    expect(share(isRed, 2, 1)).toBeGreaterThan(0.8);
    for (const [row, column] of [
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 0],
      [2, 2],
    ] as const) {
      expect(share(isBlue, row, column)).toBe(0);
      expect(share(isRed, row, column)).toBe(0);
    }
    // Every cell says its share and its voxels.
    for (const at of [0, 1, 2]) expect(picture.count((r, g, b) => r + g + b < 200, cellOf(picture, 0, at === 0 ? 1 : at))).toBeGreaterThan(50);
  });

  it("is drawn for one class and for a hundred, and refuses a table that is not square in the classes", async () => {
    for (const count of [1, 100]) {
      const classes = Array.from({ length: count }, (_, at) => `class ${at}`);
      const confusion = classes.map((_, row) => classes.map((__, column) => (row === column ? 10 : 0)));
      const { width, height } = await decode(await confusionFigure({ classes, confusion }));
      expect(width).toBeLessThan(3600);
      expect(height).toBeLessThan(3600);
    }
    await expect(confusionFigure({ classes: ["a", "b"], confusion: [[1, 2]] })).rejects.toThrow(
      "confusionFigure: confusion must be 2x2 voxel counts, a row and a column per class, got [2]",
    );
  });
});
