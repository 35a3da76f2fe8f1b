import { describe, expect, it } from "vitest";
import { Random } from "../../../src/core/random.js";
import { elementCount, type Triple } from "../../../src/core/shape.js";
import { choosePostprocessing } from "../../../src/evaluation/postprocessing/choose-postprocessing.js";
import { type ComponentTable, componentTables, postprocessedRegions } from "../../../src/evaluation/postprocessing/component-table.js";
import type { PostprocessingStep } from "../../../src/inference/index.js";
import { postprocessLabels } from "../../../src/inference/postprocess-labels.js";

const classes = ["background", "kidney", "tumor"];
const table = (fold: number, reference: number, components: [voxels: number, hits: number][], name = "kidney"): ComponentTable => ({
  id: `case_${fold}`,
  fold,
  class: name,
  reference,
  voxelVolume: 2,
  components: components.map(([voxels, hits]) => ({ voxels, hits })),
});

describe("componentTables", () => {
  it("holds all that the Dice of a postprocessed map depends on", () => {
    const shape: Triple = [5, 9, 9];
    const spacing: Triple = [2, 1, 1];
    const random = new Random(3, "tables");
    const draw = (): Uint8Array => Uint8Array.from({ length: elementCount(shape) }, () => (random.uniform(0, 1) < 0.1 ? random.integer(1, 2) : 0));
    const reference = draw();
    const prediction = reference.map((label, i) => (i % 5 === 0 ? draw()[i]! : label));
    const tables = componentTables({ id: "a", fold: 0, classes, pair: { prediction, reference, shape, spacing } });
    const choice = choosePostprocessing(tables);
    const diceOf = (map: Uint8Array, label: number): number => {
      const both = map.reduce((sum, own, i) => sum + (own === label && reference[i] === label ? 1 : 0), 0);
      const all = [map, reference].reduce((sum, one) => sum + one.filter((own) => own === label).length, 0);
      return (2 * both) / all;
    };
    const postprocessed = (steps: readonly PostprocessingStep[]): Uint8Array => {
      const map = prediction.slice();
      postprocessLabels(map, { shape, spacing, classes, steps });
      return map;
    };
    expect(choice.regions.map(({ region }) => region)).toEqual(["kidney+tumor"]);
    for (const { candidates } of choice.regions) {
      expect(candidates).toHaveLength(10);
      for (const { step, dice } of candidates) {
        expect(dice, JSON.stringify(step)).toBeCloseTo((diceOf(postprocessed([step]), 1) + diceOf(postprocessed([step]), 2)) / 2, 12);
      }
    }
    const first = choice.regions.flatMap(({ step }) => step ?? []);
    for (const { class: name, dice, chosenDice, candidates } of choice.classes) {
      const label = classes.indexOf(name);
      expect(dice).toBeCloseTo(diceOf(prediction, label), 12);
      expect(chosenDice).toBeCloseTo(diceOf(postprocessed(choice.steps), label), 12);
      expect(candidates).toHaveLength(10);
      for (const candidate of candidates)
        expect(candidate.dice, JSON.stringify(candidate.step)).toBeCloseTo(diceOf(postprocessed([...first, candidate.step]), label), 12);
    }
  });

  it("tell, over random maps and nested regions, what any two steps one after another leave", () => {
    const shape: Triple = [4, 8, 8];
    const spacing: Triple = [1, 1, 1];
    const names = ["background", "whole", "core", "enhancing"];
    const random = new Random(5, "nested");
    const draw = (): Uint8Array => Uint8Array.from({ length: elementCount(shape) }, () => (random.uniform(0, 1) < 0.16 ? random.integer(1, 3) : 0));
    const all = ["whole", "core", "enhancing"];
    for (let round = 0; round < 5; round++) {
      const [prediction, reference] = [draw(), draw()];
      const regions = postprocessedRegions(names, [[2, 3]]);
      expect(regions).toEqual([
        [1, 2, 3],
        [2, 3],
      ]);
      const tables = componentTables({ id: "a", fold: 0, classes: names, regions, pair: { prediction, reference, shape, spacing } });
      const outer: PostprocessingStep = { operation: "keepLargest", classes: all, count: 2 };
      const left = prediction.slice();
      postprocessLabels(left, { shape, spacing, classes: names, steps: [outer] });
      const again = componentTables({ id: "a", fold: 0, classes: names, regions, pair: { prediction: left, reference, shape, spacing } });
      // What is left by the table alone is what the table of the postprocessed map says.
      for (const [at, table] of tables.entries()) {
        const kept = table.components.filter((component, place) => (component.within ? component.within[all.join("+")]! < 2 : place < 2));
        expect(kept.map(({ voxels, hits }) => [voxels, hits])).toEqual(again[at]!.components.map(({ voxels, hits }) => [voxels, hits]));
      }
    }
  });
});

describe("regions to postprocess", () => {
  it("are all classes together and those in it that lie in one another, without doubles", () => {
    expect(postprocessedRegions(["background", "kidney"])).toEqual([]);
    expect(postprocessedRegions(classes, [[1, 2]])).toEqual([[1, 2]]);
    expect(postprocessedRegions(["background", "a", "b", "c", "d"], [[2, 1], [3, 4], [2, 3], [4]])).toEqual([
      [1, 2, 3, 4],
      [1, 2],
      [3, 4],
    ]);
  });
});

describe("choosePostprocessing", () => {
  it("keeps the largest component where islands are wrong, and leaves a class alone where nothing helps", () => {
    // Islands of a size that no threshold tells from the tumor's own parts.
    const kidneys = [0, 1, 2].map((fold) =>
      table(fold, 20_000, [
        [20_000, 19_000],
        [9_000, 0],
      ]),
    );
    const tumors = [0, 1, 2].map((fold) =>
      table(
        fold,
        100,
        [
          [50, 50],
          [50, 50],
        ],
        "tumor",
      ),
    );
    const { steps, classes: own } = choosePostprocessing([...kidneys, ...tumors]);
    expect(steps).toEqual([{ operation: "keepLargest", classes: ["kidney"], count: 1 }]);
    expect(own[0]).toMatchObject({ class: "kidney", dice: expect.closeTo(38_000 / 49_000, 9), chosenDice: expect.closeTo(0.95, 9) });
    expect(own[0]!.heldOutDice).toBeCloseTo(0.95, 9);
    expect(own[1]).toMatchObject({ class: "tumor", step: null, dice: 1, chosenDice: 1, heldOutDice: 1 });
  });

  it("checks a single fold by groups of its cases, never one case of a patient by another", () => {
    // Patient a: what is small is wrong; patient b: what is small is right.
    const tables = ["a_1", "a_2", "a_3", "b_1"].map((id): ComponentTable => {
      const isWrong = id.startsWith("a");
      const components: [number, number][] = [
        [100, 100],
        [60, isWrong ? 0 : 60],
      ];
      return { ...table(0, isWrong ? 100 : 160, components), id };
    });
    const alone = choosePostprocessing(tables);
    expect([alone.parts, alone.steps.length]).toEqual([4, 1]);
    const together = choosePostprocessing(tables, { groupOf: (id) => id[0]! });
    expect([together.parts, together.steps]).toEqual([2, []]);
    expect(together.classes[0]!.refused).not.toBeNull();
    expect(choosePostprocessing(tables, { groupOf: () => "all" })).toMatchObject({ parts: 0, steps: [] });
  });

  it("of equal gains takes the one that removes less", () => {
    // Both kidneys stay; specks of 4 mm³ go, by any threshold above and by keeping two.
    const tables = [0, 1].map((fold) =>
      table(fold, 20_000, [[10_000, 10_000], [10_000, 10_000], ...Array.from({ length: 500 }, (): [number, number] => [2, 0])]),
    );
    expect(choosePostprocessing(tables).steps).toEqual([{ operation: "minimalSize", classes: ["kidney"], size: 10, unit: "mm3" }]);
  });

  it("counts a class that is rightly absent afterwards as 1, so that removing false alarms is a gain", () => {
    const tables = [0, 1].flatMap((fold) => [
      { ...table(fold, 0, [[4, 0]], "tumor"), id: `absent_${fold}` },
      { ...table(fold, 1000, [[1000, 1000]], "tumor"), id: `there_${fold}` },
    ]);
    expect(choosePostprocessing(tables).classes[0]).toMatchObject({ dice: 0.5, chosenDice: 1, heldOutDice: 1 });
  });

  it("a gain below 0.001 is none", () => {
    expect(
      choosePostprocessing([
        table(0, 100_000, [
          [100_000, 100_000],
          [1, 0],
        ]),
      ]).steps,
    ).toEqual([]);
  });

  it("refuses what gains on all cases and not on those that took no part in its choice, and tells both figures", () => {
    // In fold 0 the second component is right and small, in fold 1 wrong and small: what one wants hurts the other.
    const tables = [
      table(0, 100, [
        [60, 60],
        [40, 40],
      ]),
      table(1, 60, [
        [60, 60],
        [40, 0],
      ]),
    ];
    const { steps, parts, classes: own } = choosePostprocessing(tables);
    expect([steps, parts]).toEqual([[], 2]);
    // Without anything 1 and 120/160; with all that is above 80 mm³, 120/160 and 1: the one step gains nothing for the other's case.
    expect(own[0]!.dice).toBeCloseTo((1 + 120 / 160) / 2, 12);
    const wrong = [
      ...tables,
      {
        ...table(1, 60, [
          [60, 60],
          [40, 0],
        ]),
        id: "another",
      },
    ];
    const refused = choosePostprocessing(wrong);
    expect(refused.steps).toEqual([]);
    expect(refused.classes[0]).toMatchObject({ step: null, refused: { operation: "minimalSize", classes: ["kidney"], size: 100, unit: "mm3" } });
    const { dice, chosenDice, heldOutDice, refusedDice, candidates } = refused.classes[0]!;
    expect(Math.max(...candidates.map((one) => one.dice))).toBeGreaterThan(dice + 0.001);
    expect([chosenDice, heldOutDice]).toEqual([dice, dice]);
    // Fold 0 gets what fold 1 chose, and loses its right component; fold 1 gets nothing, which is what fold 0 chose.
    expect(refusedDice).toBeCloseTo((0.75 + 0.75 + 0.75) / 3, 12);
  });

  it("refuses a region's step where the folds' own choices cost one of its classes", () => {
    // False organs of 90 voxels in folds 0 and 1, with a tumor of 60 in them; in fold 2 the true tumor of 20 lies apart.
    const cases = [0, 1, 2].flatMap((fold): ComponentTable[] => {
      const isApart = fold === 2;
      const region = isApart ? [500, 20] : [520, 90];
      const at = (place: number): ComponentTable["components"][number]["within"] => ({ "kidney+tumor": place });
      return [
        {
          ...table(fold, 520, [], "kidney+tumor"),
          classes: ["kidney", "tumor"],
          components: region.map((voxels) => ({ voxels, hits: voxels === 90 ? 0 : voxels })),
        },
        {
          ...table(fold, 500, []),
          components: [{ voxels: 500, hits: 500, within: at(0) }, ...(isApart ? [] : [{ voxels: 30, hits: 0, within: at(1) }])],
        },
        {
          ...table(fold, 20, [], "tumor"),
          components: [...(isApart ? [] : [{ voxels: 60, hits: 0, within: at(1) }]), { voxels: 20, hits: 20, within: at(isApart ? 1 : 0) }],
        },
      ];
    });
    const { steps, regions } = choosePostprocessing(cases);
    // Over all cases the tumor gains 0.6 twice and loses 1 once; folds 0 and 1 choose what costs fold 2 its tumor, the others dare not choose it.
    const [{ dice, step, refused, chosenDice, heldOutDice }] = regions as [(typeof regions)[number]];
    expect([step, refused]).toEqual([null, { operation: "minimalSize", classes: ["kidney", "tumor"], size: 300, unit: "mm3" }]);
    expect(chosenDice).toBe(dice);
    expect(heldOutDice).toBeCloseTo(((2 * (1000 / 1030) + 1) / 3 + (0.4 + 0.4 + 0) / 3) / 2, 12);
    for (const one of steps) expect(one.classes).toHaveLength(1);
  });

  it("with one fold lets groups of its cases check each other, and carries nothing out for a single case, which nothing can check", () => {
    const island = (id: string): ComponentTable => ({
      ...table(0, 20_000, [
        [20_000, 19_000],
        [9000, 0],
      ]),
      id,
    });
    const { steps, parts, classes: own } = choosePostprocessing(["a", "b", "c", "d", "e", "f", "g"].map(island));
    expect(parts).toBe(5);
    expect(steps).toEqual([{ operation: "keepLargest", classes: ["kidney"], count: 1 }]);
    expect(own[0]!.heldOutDice).toBeCloseTo(0.95, 9);
    const alone = choosePostprocessing([island("a")]);
    expect(alone).toMatchObject({ steps: [], parts: 0 });
    expect(alone.classes[0]).toMatchObject({ step: null, refused: { operation: "keepLargest" }, heldOutDice: null, refusedDice: null });
  });

  it("never carries out what costs a class on cases that took no part in its choice, whatever the tables", () => {
    const random = new Random(11, "held");
    let carried = 0;
    for (let round = 0; round < 60; round++) {
      const cases = Array.from({ length: 9 }, (_, at): ComponentTable => {
        const own = Array.from({ length: random.integer(1, 4) }, (): [number, number] => {
          const voxels = random.integer(1, 400);
          return [voxels, random.uniform(0, 1) < 0.5 ? voxels : 0];
        }).sort((a, b) => b[0] - a[0]);
        return { ...table(at % 3, own.reduce((sum, [, hits]) => sum + hits, 0) + random.integer(0, 60), own), id: `case_${at}` };
      });
      const { classes: own } = choosePostprocessing(cases);
      for (const { step, refused, dice, chosenDice, heldOutDice, refusedDice } of own) {
        if (step) {
          carried++;
          expect(heldOutDice).toBeGreaterThanOrEqual(dice + 0.001 - 1e-6);
        } else for (const other of [chosenDice, heldOutDice]) expect(other).toBeCloseTo(dice, 12);
        if (refused) expect(refusedDice).toBeLessThan(dice + 0.001);
      }
    }
    // Both happen.
    expect(carried).toBeGreaterThan(2);
    expect(carried).toBeLessThan(55);
  });

  it("keeps the largest component of all classes together where a false organ has several of them, and none of its own then", () => {
    // The false organ is a kidney of 30 with a tumor of 80 in it: larger than the true tumor, so no threshold and no largest of tumors alone would do.
    const cases = [0, 1, 2].flatMap((fold): ComponentTable[] => [
      {
        id: `case_${fold}`,
        fold,
        class: "kidney+tumor",
        classes: ["kidney", "tumor"],
        reference: 550,
        voxelVolume: 1,
        components: [
          { voxels: 550, hits: 550 },
          { voxels: 110, hits: 0 },
        ],
      },
      {
        ...table(fold, 500, []),
        components: [
          { voxels: 500, hits: 500, within: { "kidney+tumor": 0 } },
          { voxels: 30, hits: 0, within: { "kidney+tumor": 1 } },
        ],
      },
      {
        ...table(fold, 50, [], "tumor"),
        components: [
          { voxels: 80, hits: 0, within: { "kidney+tumor": 1 } },
          { voxels: 50, hits: 50, within: { "kidney+tumor": 0 } },
        ],
      },
    ]);
    const { steps, regions, classes: own } = choosePostprocessing(cases);
    expect(steps).toEqual([{ operation: "minimalSize", classes: ["kidney", "tumor"], size: 300, unit: "mm3" }]);
    expect(regions[0]).toMatchObject({ region: "kidney+tumor", chosenDice: 1, dice: (1000 / 1030 + 100 / 180) / 2 });
    expect(own.map(({ class: name, step, dice, chosenDice, heldOutDice }) => [name, step, dice, chosenDice, heldOutDice])).toEqual([
      ["kidney", null, 1000 / 1030, 1, 1],
      ["tumor", null, 100 / 180, 1, 1],
    ]);
  });

  it("takes no step for a region that costs one of its classes, however much the others gain", () => {
    // In one case of three the tumor lies apart from the kidney: keeping the largest of both together would lose it there.
    const cases = [0, 1, 2].flatMap((fold): ComponentTable[] => {
      const isApart = fold === 0;
      const sizes = [isApart ? 20_000 : 20_020, 15_000, 15_000, ...(isApart ? [20] : [])];
      return [
        {
          ...table(fold, 20_020, [], "kidney+tumor"),
          classes: ["kidney", "tumor"],
          components: sizes.map((voxels, at) => ({ voxels, hits: at === 1 || at === 2 ? 0 : voxels })),
        },
        {
          ...table(fold, 20_000, []),
          components: [20_000, 15_000, 15_000].map((voxels, at) => ({ voxels, hits: at === 0 ? voxels : 0, within: { "kidney+tumor": at } })),
        },
        { ...table(fold, 20, [], "tumor"), components: [{ voxels: 20, hits: 20, within: { "kidney+tumor": isApart ? 3 : 0 } }] },
      ];
    });
    const { steps, regions } = choosePostprocessing(cases);
    expect(regions[0]!.candidates.some(({ dice }) => dice > regions[0]!.dice + 0.001)).toBe(true);
    expect(regions[0]!.step).toBeNull();
    expect(steps).toEqual([{ operation: "keepLargest", classes: ["kidney"], count: 1 }]);
  });
});
