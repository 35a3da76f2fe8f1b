import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sumConfusions, writeConfusion } from "../../../src/evaluation/index.js";
import { decode } from "../figures/pixels.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-confusion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cases = [
  {
    id: "a",
    fold: 0,
    confusion: [
      [90, 2],
      [3, 5],
    ],
  },
  {
    id: "b",
    fold: 1,
    confusion: [
      [80, 10],
      [0, 10],
    ],
  },
];

describe("confusion tables of a data set", () => {
  it("are written over all cases and of each, with a picture", async () => {
    const files = await writeConfusion({ output: folder, classes: ["background", "lesion"], cases });
    expect(files).toEqual([join(folder, "confusion.json"), join(folder, "confusion.png")]);
    expect(JSON.parse(readFileSync(files[0]!, "utf8"))).toEqual({
      format: "voxstream-confusion",
      rows: "reference",
      columns: "prediction",
      classes: ["background", "lesion"],
      confusion: [
        [170, 12],
        [3, 15],
      ],
      cases,
    });
    const { width, height } = await decode(readFileSync(files[1]!));
    expect(Math.min(width, height)).toBeGreaterThan(400);
  });

  it("of different classes are not added up", () => {
    expect(() => sumConfusions([cases[0]!, { id: "c", confusion: [[1]] }])).toThrow(
      "sumConfusions: tables must be of 2x2 classes, got 1x1 (sample c)",
    );
    expect(sumConfusions([])).toEqual([]);
  });
});
