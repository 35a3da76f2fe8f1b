import { describe, expect, it } from "vitest";
import { boxFigure } from "../../../src/evaluation/report/box-figure.js";
import { decode } from "../figures/pixels.js";

const SIZE = { width: 400, height: 302 };
/** Twice as fine; the axis from 0 to 1 runs over the 200 pixels between the margins of 50 and 52. */
const rowOf = (value: number): number => Math.round(2 * (302 - 52 - value * 200));
/** The middle of the only box, moved off its points and its mean. */
const COLUMN = 2 * (74 + (400 - 74 - 20) / 2 + 40);

describe("a box figure", () => {
  it("draws quartiles and median where the values say", async () => {
    const values = [0, 0.25, 0.5, 0.75, 1, Number.NaN];
    const picture = await decode(
      await boxFigure({ title: "Dice", boxes: [{ name: "kidney", values, color: [240, 60, 60] }], range: [0, 1], ...SIZE }),
    );
    const dark = (value: number): number => picture.count((r, g, b) => r + g + b < 330, [COLUMN, rowOf(value) - 3, 1, 6]);
    for (const line of [0.25, 0.5, 0.75]) expect(dark(line)).toBeGreaterThan(1);
    for (const none of [0.1, 0.35, 0.65, 0.9]) expect(dark(none)).toBe(0);
    const [r, g] = picture.at(COLUMN, rowOf(0.35));
    expect(r - g).toBeGreaterThan(25);
    expect(picture.at(COLUMN, rowOf(0.1))).toEqual([255, 255, 255]);
  });

  it("does without values, with one, and with equal ones", async () => {
    const boxes = [[], [3], [2, 2, 2], [Number.NaN]].map((values, at) => ({ name: `class ${at}`, values, color: [70, 140, 255] as const }));
    const picture = await decode(await boxFigure({ title: "HD95 (mm)", yLabel: "mm", boxes }));
    expect([picture.width, picture.height]).toEqual([1520, 880]);
    expect(picture.count((r, _, b) => b - r > 100)).toBeGreaterThan(40);
    await expect(boxFigure({ title: "none", boxes: [] })).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});
