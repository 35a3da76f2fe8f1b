import { describe, expect, test } from "vitest";
import { parseTsv } from "../../../src/server/files/parse-tsv.js";
import { caseScores, metricKind } from "../../../src/server/page/data/case-scores.js";

const TABLE = [
  "case\tclass\tlabels\tstate\ttp\tfp\tfn\ttn\treference_mm3\tprediction_mm3\tdice\thd95",
  "a\tkidney\t1\tok\t90\t5\t15\t890\t105\t95\t0.9\t2.5",
  "a\ttumor\t2\tboth_empty\t0\t0\t0\t1000\t0\t0\t\t",
  "b\tkidney\t1\tok\t50\t10\t0\t940\t50\t60\t0.909\t1",
  "b\ttumor\t2\tpred_empty\t0\t0\t30\t970\t30\t0\t0\t140",
].join("\r\n");

describe("caseScores", () => {
  const scores = caseScores(parseTsv(TABLE))!;

  test("knows cases, classes and metrics in their order", () => {
    expect(scores.cases).toEqual(["a", "b"]);
    expect(scores.classes).toEqual(["kidney", "tumor"]);
    expect(scores.metrics).toEqual(["dice", "hd95"]);
  });

  test("an empty cell does not count, a zero does", () => {
    expect(scores.value("a", "tumor", "dice")).toBeUndefined();
    expect(scores.value("b", "tumor", "dice")).toBe(0);
    expect(scores.mean("a", "dice")).toBe(0.9);
    expect(scores.mean("b", "dice")).toBeCloseTo(0.4545, 6);
    expect(scores.value("c", "tumor", "dice")).toBeUndefined();
    expect(scores.state("b", "tumor")).toBe("pred_empty");
  });

  test("adds the voxels up over the cases", () => {
    expect(scores.counts.get("kidney")).toEqual({ tp: 140, fp: 15, fn: 15 });
    expect(scores.counts.get("tumor")).toEqual({ tp: 0, fp: 0, fn: 30 });
  });

  test("leaves tables of another make alone", () => {
    expect(caseScores(parseTsv("sample_id\tdice_kidney\na\t0.9\n"))).toBeUndefined();
    expect(caseScores(parseTsv(""))).toBeUndefined();
  });

  test("short rows are filled, long ones cut", () => {
    expect(parseTsv("a\tb\n1\n1\t2\t3\n")).toEqual({
      columns: ["a", "b"],
      rows: [
        ["1", ""],
        ["1", "2"],
      ],
    });
  });
});

describe("metricKind", () => {
  test("knows distances from scores", () => {
    expect(metricKind("hd95")).toEqual({ isScore: false, isLowerBetter: true, unit: "mm" });
    expect(metricKind("volume_error_mm3")).toEqual({ isScore: false, isLowerBetter: true, unit: "mm³" });
    expect(metricKind("nsd_1mm").isScore).toBe(true);
    expect(metricKind("dice").isScore).toBe(true);
  });
});
