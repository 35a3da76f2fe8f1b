import { describe, expect, it } from "vitest";
import { ALL_CLASSES, caseScores, summarizeComparison } from "../../../src/evaluation/comparison/summarize-comparison.js";
import type { VariantCost } from "../../../src/evaluation/comparison/variant-cost.js";
import { type EvaluationRow, holm, pairedDifference, wilcoxonSignedRank } from "../../../src/evaluation/index.js";

describe("wilcoxonSignedRank", () => {
  it("has the figures of SciPy's example: heights of cross- and self-fertilized corn", () => {
    // scipy.stats.wilcoxon documentation (1.x, exact): statistic 24, p 0.041259765625.
    const differences = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75];
    const { n, positive, p } = wilcoxonSignedRank(differences);
    expect([n, positive]).toEqual([15, 120 - 24]);
    expect(p).toBeCloseTo(0.041259765625, 12);
  });

  it("equals counting all signs, also with ties and zeros", () => {
    const all = [0.3, -0.1, 0.1, 0.2, 0.2, -0.2, 0, 0.5];
    const kept = all.filter((value) => value !== 0);
    const order = [...kept].sort((a, b) => Math.abs(a) - Math.abs(b));
    const rank = (value: number): number => {
      const places = order.flatMap((other, at) => (Math.abs(other) === Math.abs(value) ? [at + 1] : []));
      return places.reduce((sum, place) => sum + place, 0) / places.length;
    };
    const ranks = kept.map(rank);
    const observed = kept.reduce((sum, value, k) => sum + (value > 0 ? ranks[k]! : 0), 0);
    const total = ranks.reduce((sum, value) => sum + value, 0);
    const extreme = Math.min(observed, total - observed);
    let count = 0;
    for (let signs = 0; signs < 2 ** kept.length; signs++) {
      const sum = ranks.reduce((s, value, k) => s + (signs & (1 << k) ? value : 0), 0);
      if (sum <= extreme + 1e-12) count++;
    }
    expect(wilcoxonSignedRank(all)).toMatchObject({ n: 7, positive: observed });
    expect(wilcoxonSignedRank(all).p).toBeCloseTo(Math.min(1, (2 * count) / 2 ** kept.length), 12);
  });

  it("is 1 without a difference, symmetric, and goes over into the normal distribution smoothly", () => {
    expect(wilcoxonSignedRank([0, 0, Number.NaN])).toEqual({ n: 0, positive: 0, p: 1 });
    const values = Array.from({ length: 20 }, (_, k) => Math.sin(k * 7.3) + 0.2);
    expect(wilcoxonSignedRank(values).p).toBeCloseTo(wilcoxonSignedRank(values.map((value) => -value)).p, 12);
    const many = (count: number): number[] => Array.from({ length: count }, (_, k) => Math.sin(k * 12.9898) * 43.758 + 1.5);
    const [exact, normal] = [wilcoxonSignedRank(many(400)).p, wilcoxonSignedRank(many(401)).p];
    expect(Math.abs(exact - normal)).toBeLessThan(0.01);
    expect(exact).toBeGreaterThan(0.001);
  });
});

describe("holm", () => {
  it("multiplies by the ranks from above, never falls, and stays at most 1", () => {
    // p.adjust(c(0.01, 0.04, 0.03, 0.5), "holm") of R: 0.04 0.09 0.09 0.50.
    expect(holm([0.01, 0.04, 0.03, 0.5]).map((p) => Number(p!.toFixed(10)))).toEqual([0.04, 0.09, 0.09, 0.5]);
    expect(holm([0.9, null, 0.8])).toEqual([1, null, 1]);
  });
});

describe("pairedDifference", () => {
  it("pairs by case, and counts what has no partner", () => {
    const values = new Map([
      ["a", 0.9],
      ["b", 0.8],
      ["c", Number.NaN],
      ["d", Number.NaN],
    ]);
    const baseline = new Map([
      ["b", 0.7],
      ["a", 0.85],
      ["c", 0.2],
      ["d", Number.NaN],
    ]);
    const { n, leftOut, mean, interval, p } = pairedDifference(values, baseline);
    expect([n, leftOut, p]).toEqual([2, 1, 0.5]);
    expect(mean).toBeCloseTo(0.075, 12);
    expect(interval![0]).toBeCloseTo(0.05, 12);
    expect(interval![1]).toBeCloseTo(0.1, 12);
  });
});

const row = (id: string, name: string, dice: number): EvaluationRow => ({
  id,
  class: name,
  labels: [1],
  state: "ok",
  counts: { tp: 1, fp: 0, fn: 0, tn: 0 },
  volumes: { reference: 1, prediction: 1 },
  metrics: { dice },
});
const cost: VariantCost = { parameters: 1, trainable: 1, peakBytes: 1, stepMs: 1, trainSeconds: 1, predictSeconds: 1 };

describe("summarizeComparison", () => {
  it("averages seeds per case and classes per case, before anything else", () => {
    const seeds = [
      [row("a", "kidney", 0.8), row("a", "tumor", 0.4), row("b", "kidney", 0.6), row("b", "tumor", Number.NaN)],
      [row("a", "kidney", 0.9), row("a", "tumor", Number.NaN), row("b", "kidney", 0.7), row("b", "tumor", Number.NaN)],
    ];
    const scores = caseScores(seeds);
    expect(scores.get("kidney")!.get("dice")!.get("a")).toBeCloseTo(0.85, 12);
    expect(scores.get("tumor")!.get("dice")!.get("a")).toBeCloseTo(0.4, 12);
    expect(scores.get("tumor")!.get("dice")!.get("b")).toBeNaN();
    expect(scores.get(ALL_CLASSES)!.get("dice")!.get("a")).toBeCloseTo(0.625, 12);
    expect(scores.get(ALL_CLASSES)!.get("dice")!.get("b")).toBeCloseTo(0.65, 12);
  });

  it("compares each variant with the baseline, and adjusts over the variants", () => {
    const ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const variant = (name: string, gain: (k: number) => number) => ({
      name,
      cost,
      seeds: [ids.map((id, k) => row(id, "kidney", 0.5 + 0.01 * k + gain(k)))],
    });
    const summary = summarizeComparison(
      [variant("base", () => 0), variant("up", (k) => 0.02 + 0.001 * k), variant("mixed", (k) => (k % 2 ? 0.01 : -0.01))],
      {
        baseline: "base",
        seeds: [0],
      },
    );
    const difference = (at: number) => summary.variants[at]!.classes[ALL_CLASSES]!.dice!.difference;
    expect(summary).toMatchObject({ cases: 8, baseline: "base" });
    expect(difference(0)).toBeNull();
    expect(difference(1)!.mean).toBeCloseTo(0.0235, 10);
    expect(difference(1)!.interval![0]).toBeGreaterThan(0.02);
    // All eight in one direction: 2 / 2^8, and twice that for two variants.
    expect([difference(1)!.p, difference(1)!.adjusted]).toEqual([2 / 256, 4 / 256]);
    // Four up, four down, all alike.
    expect(difference(2)).toMatchObject({ mean: expect.closeTo(0, 12), p: 1, adjusted: 1 });
  });
});
