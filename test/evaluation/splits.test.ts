import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { kFold, leaveOneOut, percentageSplit, readSplits, saveSplits } from "../../src/evaluation/splits.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-splits-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `case_${String(i).padStart(5, "0")}`);

describe("splits", () => {
  it("k-fold: every case validates exactly once and trains in all other folds, sizes differ by at most one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), (n, k, seed) => {
        const folds = 2 + (k % (n - 1));
        const splits = kFold(names(n), { folds, seed });
        expect(splits.flatMap(({ validation }) => validation).sort()).toEqual(names(n));
        for (const { training, validation } of splits) expect([...training, ...validation].sort()).toEqual(names(n));
        const sizes = splits.map(({ validation }) => validation.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("the seed decides, the order of the input does not, and the input is left alone", () => {
    const ids = names(12);
    const reversed = [...ids].reverse();
    expect(kFold(reversed, { folds: 3, seed: 5 })).toEqual(kFold(ids, { folds: 3, seed: 5 }));
    expect(kFold(ids, { folds: 3, seed: 6 })).not.toEqual(kFold(ids, { folds: 3, seed: 5 }));
    expect(reversed).toEqual([...ids].reverse());
    percentageSplit(reversed, { share: 0.2 });
    expect(reversed).toEqual([...ids].reverse());
  });

  it("cases of one group stay on one side", () => {
    const groupOf = (id: string): string => id.slice(0, -1);
    for (const splits of [
      kFold(names(30), { folds: 3, groupOf }),
      percentageSplit(names(30), { share: 0.4, groupOf }),
      leaveOneOut(names(30), { groupOf }),
    ]) {
      for (const { training, validation } of splits) expect(validation.some((id) => training.map(groupOf).includes(groupOf(id)))).toBe(false);
    }
    expect(leaveOneOut(names(30), { groupOf })).toHaveLength(3);
    expect(() => kFold(names(30), { folds: 3, groupOf: () => "all" })).toThrow("at least two cases, or groups of cases, to deal, got 1");
  });

  it("leave-one-out leaves out each; a share takes ceil(share n)", () => {
    expect(leaveOneOut(names(4)).map(({ validation }) => validation)).toEqual(names(4).map((id) => [id]));
    expect(percentageSplit(names(7), { share: 0.2 })[0]!.validation).toHaveLength(2);
  });

  it("come back from their file, also from nnU-Net's, and wrong files are refused", async () => {
    const path = join(folder, "splits.json");
    const splits = kFold(names(5), { folds: 2 });
    await saveSplits(path, splits);
    expect(await readSplits(path)).toEqual(splits);
    writeFileSync(path, JSON.stringify([{ train: ["a"], val: ["b"] }]));
    expect(await readSplits(path)).toEqual([{ training: ["a"], validation: ["b"] }]);
    for (const [text, message] of [
      ["[]", "a list of { training, validation }"],
      ['[{"training":["a"],"validation":["a"]}]', "got a in fold 0"],
      ['[{"training":[1],"validation":[]}]', "in fold 0"],
    ] as const) {
      writeFileSync(path, text);
      await expect(readSplits(path)).rejects.toThrow(message);
    }
    writeFileSync(path, "{");
    await expect(readSplits(path)).rejects.toMatchObject({ code: "ERR_FORMAT" });
    await expect(readSplits(join(folder, "nothing.json"))).rejects.toMatchObject({ code: "ERR_READ" });
  });

  it("impossible numbers are refused", () => {
    expect(() => kFold(names(3), { folds: 4 })).toThrow("kFold: folds must be an integer in 2..3, the cases to deal, got 4");
    expect(() => kFold(["a", "a"], { folds: 2 })).toThrow("kFold: ids must be different from each other");
    expect(() => percentageSplit(names(3), { share: 1 })).toThrow("percentageSplit: share must be in (0, 1) with something left to train on, got 1");
    expect(() => leaveOneOut(["a"])).toThrow("leaveOneOut: ids must be at least two cases");
  });
});
