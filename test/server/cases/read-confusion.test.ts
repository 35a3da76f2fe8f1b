import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfusion } from "../../../src/server/cases/read-confusion.js";
import { temporaryFolder } from "../fixture/temporary-folder.js";

const classes = ["background", "kidney"];
const confusion = [
  [90, 10],
  [5, 45],
];

function evaluated(text: string): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "evaluation"));
  writeFileSync(join(folder, "evaluation", "confusion.json"), text);
  return folder;
}

describe("readConfusion", () => {
  test("reads the table of all cases and that of each", async () => {
    const cases = [{ id: "case_00000", fold: 1, confusion }];
    expect(await readConfusion(evaluated(JSON.stringify({ classes, confusion, cases })), null)).toEqual({
      classes,
      confusion,
      cases: [{ id: "case_00000", confusion }],
    });
  });

  test("takes the table of all cases from the summary where nothing else is there", async () => {
    expect(await readConfusion(temporaryFolder(), { confusion, confusionClasses: classes })).toEqual({ classes, confusion, cases: [] });
    expect(await readConfusion(evaluated("{ half"), { confusion, confusionClasses: classes })).toEqual({ classes, confusion, cases: [] });
  });

  test("takes the hundred classes of a whole body, and no more than 512", async () => {
    const of = (size: number) => ({
      classes: Array.from({ length: size }, (_, i) => `class ${i}`),
      confusion: Array.from({ length: size }, (_, truth) => Array.from({ length: size }, (_, predicted) => Number(truth === predicted))),
    });
    expect((await readConfusion(evaluated(JSON.stringify(of(118))), null))?.confusion).toHaveLength(118);
    expect(await readConfusion(evaluated(JSON.stringify(of(513))), null)).toBeUndefined();
  });

  test("is nothing in runs of earlier versions", async () => {
    for (const summary of [null, {}, { confusion }, [], "text"]) expect(await readConfusion(temporaryFolder(), summary)).toBeUndefined();
  });

  test("leaves out tables that are not whole or not of one size", async () => {
    const bad: unknown[] = [
      [[1, 2]],
      [[1, 2], [3]],
      [
        [1, -2],
        [3, 4],
      ],
      [
        [1, "2"],
        [3, 4],
      ],
      [
        [1, null],
        [3, 4],
      ],
      {},
      "x",
    ];
    for (const table of bad) expect(await readConfusion(evaluated(JSON.stringify({ classes, confusion: table })), null)).toBeUndefined();
    const cases = [{ id: "good", confusion }, { id: "bad", confusion: [[1]] }, { confusion }, 7, null];
    const found = await readConfusion(evaluated(JSON.stringify({ classes, confusion, cases })), null);
    expect(found?.cases.map(({ id }) => id)).toEqual(["good"]);
    expect(await readConfusion(evaluated(JSON.stringify({ classes: ["one"], confusion: [[1]] })), null)).toBeUndefined();
  });
});
