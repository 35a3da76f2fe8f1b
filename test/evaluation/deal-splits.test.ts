import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { CaseRef, DataSet } from "../../src/core/case.js";
import { caseStrata } from "../../src/evaluation/case-strata.js";
import { type DealSplitsOptions, dealSplits } from "../../src/evaluation/deal-splits.js";
import { holdOut, kFold, readSplits, type Splits, saveSplits } from "../../src/evaluation/splits.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-deal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ids = Array.from({ length: 23 }, (_, n) => `case_${String(n).padStart(2, "0")}`);
const sums = (splits: Splits, of: (id: string) => number): number[] =>
  splits.map(({ validation }) => validation.reduce((sum, id) => sum + of(id), 0));
const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);

describe("kFold with strata", () => {
  const signature = (id: string): string => (Number(id.slice(5)) % 7 === 0 ? "" : Number(id.slice(5)) % 3 === 0 ? "kidney+tumor" : "kidney");

  it("gives every fold its share of each name, at most one case more or less, and folds of equal size", () => {
    for (const seed of [0, 1, 2]) {
      const splits = kFold(ids, { folds: 4, seed, stratumOf: signature });
      for (const name of ["", "kidney", "kidney+tumor"])
        expect(spread(sums(splits, (id) => (signature(id) === name ? 1 : 0)))).toBeLessThanOrEqual(1);
      expect(spread(splits.map(({ validation }) => validation.length))).toBeLessThanOrEqual(1);
      expect(splits.flatMap(({ validation }) => validation).sort()).toEqual(ids);
    }
    // Chance alone does not do that.
    const plain = [0, 1, 2, 3, 4].map((seed) => spread(sums(kFold(ids, { folds: 4, seed }), (id) => (signature(id) === "kidney+tumor" ? 1 : 0))));
    expect(Math.max(...plain)).toBeGreaterThan(1);
  });

  it("gives every fold small and large numbers alike, and every seed another division", () => {
    const volume = (id: string): number => Number(id.slice(5)) ** 3;
    const total = ids.reduce((sum, id) => sum + volume(id), 0);
    const spreads = [0, 1, 2, 3].map((seed) => spread(sums(kFold(ids, { folds: 3, seed, stratumOf: volume }), volume)) / total);
    const plain = [0, 1, 2, 3].map((seed) => spread(sums(kFold(ids, { folds: 3, seed }), volume)) / total);
    expect(spreads.reduce((a, b) => a + b)).toBeLessThan(plain.reduce((a, b) => a + b) / 1.5);
    // One of each block of three goes to each fold.
    const splits = kFold(ids, { folds: 3, seed: 0, stratumOf: volume });
    for (let block = 0; block < 7; block++)
      for (const { validation } of splits) expect(validation.filter((id) => Math.floor(Number(id.slice(5)) / 3) === block).length).toBe(1);
    expect(kFold(ids, { folds: 3, seed: 1, stratumOf: volume })).not.toEqual(splits);
    expect(kFold([...ids].reverse(), { folds: 3, seed: 0, stratumOf: volume })).toEqual(splits);
  });

  it("keeps groups together, with the names of all their cases", () => {
    const groupOf = (id: string): string => `p${Math.floor(Number(id.slice(5)) / 2)}`;
    const splits = kFold(ids, { folds: 3, seed: 5, groupOf, stratumOf: signature });
    for (const { training, validation } of splits)
      for (const id of validation) expect(training.some((other) => groupOf(other) === groupOf(id))).toBe(false);
    const hasTumor = (group: string): number => (ids.some((id) => groupOf(id) === group && signature(id).includes("tumor")) ? 1 : 0);
    const groups = (split: Splits[number]): string[] => [...new Set(split.validation.map(groupOf))];
    expect(spread(splits.map((split) => groups(split).reduce((sum, group) => sum + hasTumor(group), 0)))).toBeLessThanOrEqual(2);
  });
});

describe("repeated k-fold", () => {
  it("holds out every case once in every repeat, each time divided otherwise; the first is the plain division", () => {
    const splits = kFold(ids, { folds: 3, seed: 2, repeats: 4 });
    expect(splits.map(({ repeat }) => repeat)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    const parts = [0, 1, 2, 3].map((repeat) => splits.filter((fold) => fold.repeat === repeat));
    for (const part of parts) expect(part.flatMap(({ validation }) => validation).sort()).toEqual(ids);
    expect(new Set(parts.map((part) => JSON.stringify(part.map(({ validation }) => validation)))).size).toBe(4);
    expect(parts[0]!.map(({ validation }) => validation)).toEqual(kFold(ids, { folds: 3, seed: 2 }).map(({ validation }) => validation));
    expect(() => kFold(ids, { folds: 3, repeats: 0 })).toThrow("kFold: repeats must be an integer >= 1, got 0");
  });

  it("is saved and read with its repeats", async () => {
    const path = join(folder, "splits.json");
    const splits = kFold(ids, { folds: 2, repeats: 2 });
    await saveSplits(path, splits);
    expect(await readSplits(path)).toEqual(splits);
  });
});

describe("dealSplits", () => {
  const SHAPE = [1, 2, 3, 1] as const;
  const labels: Readonly<Record<string, readonly number[]>> = {
    a: [0, 1, 1, 0, 0, 0],
    b: [0, 0, 0, 0, 0, 0],
    c: [2, 1, 1, 1, 1, 0],
    d: [1, 1, 0, 0, 0, 0],
  };
  const refs: readonly CaseRef[] = Object.keys(labels).map((id) => ({ id, images: [], label: id }));
  const data: DataSet = {
    classes: ["background", "kidney", "tumor"],
    channels: 1,
    list: async () => refs,
    read: async ({ id }) => ({
      image: { data: new Float32Array(6), shape: SHAPE, affine: [2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1] },
      label: { data: Uint8Array.from(labels[id]!), shape: SHAPE },
    }),
  };
  const deal = (options: DealSplitsOptions): Promise<Splits> => dealSplits(options, { data, refs, seed: 0 });

  it("knows which classes a case has and how much foreground in mm³", async () => {
    expect(await caseStrata(data, refs, "presence")).toEqual(
      new Map([
        ["a", "kidney"],
        ["b", ""],
        ["c", "kidney+tumor"],
        ["d", "kidney"],
      ]),
    );
    expect((await caseStrata(data, refs, "volume")).get("c")).toBe(5 * 24);
  });

  it("divides in every way that is asked for", async () => {
    const held = (splits: Splits): string[][] => splits.map(({ validation }) => [...validation]);
    expect(held(await deal({ leaveOneOut: true }))).toEqual([["a"], ["b"], ["c"], ["d"]]);
    expect(held(await deal({ leaveOneOut: true, groupOf: (id) => (id < "c" ? "x" : id) }))).toEqual([["c"], ["d"], ["a", "b"]]);
    expect(held(await deal({ heldOutIds: ["d", "b"] }))).toEqual([["b", "d"]]);
    await expect(deal({ heldOutIds: ["d"], groupOf: () => "x" })).rejects.toThrow("groupOf must be absent with heldOutIds");
    await expect(deal({ splits: "none.json" })).rejects.toThrow("none.json: the splits must be readable JSON, got no such file or folder");
    expect((await deal({ share: 0.3 }))[0]!.validation).toHaveLength(2);
    expect(await deal({ folds: 2, repeats: 3 })).toHaveLength(6);
    // Both cases with nothing but a kidney are on different sides.
    const [one] = held(await deal({ folds: 2, stratify: "presence" }));
    expect(one!.filter((id) => id === "a" || id === "d")).toHaveLength(1);
    expect(holdOut(["x", "y"], ["x"])).toEqual([{ training: ["y"], validation: ["x"] }]);
  });

  it("refuses two ways at once, and cases that are not there", async () => {
    await expect(deal({ folds: 2, leaveOneOut: true })).rejects.toThrow("at most one of folds, leaveOneOut, share, heldOutIds, splits");
    await expect(deal({ share: 0.5, repeats: 2 })).rejects.toThrow("repeats must be absent with share, got 2");
    await expect(deal({ heldOutIds: ["z"] })).rejects.toThrow('heldOut must be cases of the data set, got "z"');
    await expect(deal({ heldOutIds: ["a", "b", "c", "d"] })).rejects.toThrow("1..3 cases, got 4");
    await expect(deal({ stratify: "size" as "volume" })).rejects.toThrow('stratify must be "presence" or "volume"');
    const twice = [
      { training: ["a"], validation: ["b"], repeat: 0 },
      { training: ["a"], validation: ["b"], repeat: 1 },
    ];
    expect(await deal({ splits: twice })).toEqual(twice);
    await expect(deal({ splits: twice.map((fold) => ({ ...fold, repeat: 0 })) })).rejects.toThrow("hold out each case at most once, got b twice");
  });
});
