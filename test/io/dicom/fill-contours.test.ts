import { describe, expect, it } from "vitest";
import { Random } from "../../../src/core/random.js";
import { fillContours, type PixelContour } from "../../../src/io/dicom/fill-contours.js";

function filled(contours: readonly PixelContour[], columns = 12, rows = 10): string[] {
  const grid = Array.from({ length: rows }, () => new Array<string>(columns).fill("."));
  fillContours(contours, columns, rows, (row, from, to) => grid[row]!.fill("#", from, to));
  return grid.map((row) => row.join(""));
}

/** Even-odd by the definition: crossings of a ray to the right of each center. */
function byDefinition(contours: readonly PixelContour[], columns: number, rows: number): string[] {
  return Array.from({ length: rows }, (_, y) =>
    Array.from({ length: columns }, (_, x) => {
      let crossings = 0;
      for (const contour of contours) {
        for (let n = 0; n < contour.length; n += 2) {
          const [x0, y0] = [contour[n]!, contour[n + 1]!];
          const [x1, y1] = [contour[(n + 2) % contour.length]!, contour[(n + 3) % contour.length]!];
          if (y0 <= y !== y1 <= y && x0 + ((y - y0) / (y1 - y0)) * (x1 - x0) <= x) crossings++;
        }
      }
      return crossings % 2 === 1 ? "#" : ".";
    }).join(""),
  );
}

const square = (from: number, to: number): number[] => [from, from, to, from, to, to, from, to];

describe("fillContours", () => {
  it("takes the pixels whose centers lie inside", () => {
    expect(filled([square(1.5, 4.5)], 7, 6)).toEqual([".......", ".......", "..###..", "..###..", "..###..", "......."]);
  });

  it("gives a line through centers to one of the areas that share it", () => {
    const left = filled([[1, 1, 3, 1, 3, 3, 1, 3]], 6, 5);
    const right = filled([[3, 1, 5, 1, 5, 3, 3, 3]], 6, 5);
    expect(left).toEqual(["......", ".##...", ".##...", "......", "......"]);
    expect(right).toEqual(["......", "...##.", "...##.", "......", "......"]);
  });

  it("leaves the hole of a contour within a contour, and fills an island in it", () => {
    const rows = filled([square(0.5, 9.5), square(2.5, 7.5), square(4.5, 5.5)], 10, 10);
    expect(rows[5]).toBe(".##..#..##");
    expect(rows[1]).toBe(".#########");
    expect(rows[3]).toBe(".##.....##");
  });

  it("sees nothing in the channel of a keyhole, and does the same in any order and direction of points", () => {
    const keyhole = [0.5, 0.5, 8.5, 0.5, 8.5, 8.5, 0.5, 8.5, 0.5, 4.2, 2.5, 4.2, 2.5, 6.5, 6.5, 6.5, 6.5, 2.5, 2.5, 2.5, 2.5, 4.2, 0.5, 4.2];
    const rows = filled([keyhole], 10, 10);
    expect(rows).toEqual(filled([square(0.5, 8.5), square(2.5, 6.5)], 10, 10));
    const reversed = Array.from({ length: keyhole.length / 2 }, (_, n) => keyhole.slice(keyhole.length - 2 * n - 2, keyhole.length - 2 * n)).flat();
    expect(filled([reversed], 10, 10)).toEqual(rows);
  });

  it("stays inside of the slice", () => {
    expect(filled([square(-50, 50)], 4, 3)).toEqual(["####", "####", "####"]);
    expect(
      filled(
        [
          [-9, -9, -5, -9, -5, 99],
          [50, 2, 60, 2, 55, 9],
        ],
        4,
        3,
      ),
    ).toEqual(["....", "....", "...."]);
  });

  it("equals the definition on contours that cross themselves and each other", () => {
    const random = new Random(5, "contours");
    for (let n = 0; n < 200; n++) {
      const contours = Array.from({ length: 1 + (n % 3) }, () => Array.from({ length: 2 * (3 + (n % 7)) }, () => random.uniform(-3, 14)));
      expect(filled(contours)).toEqual(byDefinition(contours, 12, 10));
    }
  });
});
