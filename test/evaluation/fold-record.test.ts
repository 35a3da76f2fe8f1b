import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type FoldRecord, readFoldRecord, writeFoldRecord } from "../../src/evaluation/fold-record.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-fold-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const record: FoldRecord = {
  format: "voxstream-fold",
  fold: 1,
  training: { epochs: 2, steps: 4, loss: 0.1, bestEpoch: 2, seconds: 3.5, reason: null },
  evaluation: {
    rows: [
      {
        id: "case_00000",
        class: "tumor",
        labels: [2],
        state: "both_empty",
        counts: { tp: 0, fp: 0, fn: 0, tn: 9 },
        volumes: { reference: 0, prediction: 0 },
        metrics: { dice: Number.NaN, hd95: 1 / 3 },
      },
    ],
    confusions: [{ id: "case_00000", confusion: [[9]] }],
    missing: ["case_00001"],
    failed: [],
  },
};

describe("the record of a fold", () => {
  it("comes back exactly, also where a metric does not count", async () => {
    expect(await readFoldRecord(folder)).toBeUndefined();
    await writeFoldRecord(folder, record);
    expect(await readFoldRecord(folder)).toEqual(record);
  });

  it("of a version that counted no confusion is read without it", async () => {
    const { confusions: _, ...evaluation } = record.evaluation!;
    await writeFoldRecord(folder, { ...record, evaluation });
    expect((await readFoldRecord(folder))!.evaluation).toEqual(evaluation);
  });

  it("is refused when it is damaged", async () => {
    writeFileSync(join(folder, "fold.json"), "{");
    await expect(readFoldRecord(folder)).rejects.toMatchObject({ code: "ERR_FORMAT" });
    writeFileSync(join(folder, "fold.json"), JSON.stringify({ ...record, training: {} }));
    await expect(readFoldRecord(folder)).rejects.toMatchObject({ code: "ERR_FORMAT", message: expect.stringContaining("training.epochs") });
  });
});
