import { describe, expect, it } from "vitest";
import { Random } from "../../../src/core/random.js";
import { elementCount, type Triple } from "../../../src/core/shape.js";
import { choosePostprocessing } from "../../../src/evaluation/postprocessing/choose-postprocessing.js";
import { type ComponentTable, componentTables } from "../../../src/evaluation/postprocessing/component-table.js";
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
    const { classes: choices } = choosePostprocessing(tables);
    for (const { class: name, dice, candidates } of choices) {
      const label = classes.indexOf(name);
      const diceOf = (map: Uint8Array): number => {
        const both = map.reduce((sum, own, i) => sum + (own === label && reference[i] === label ? 1 : 0), 0);
        const all = [map, reference].reduce((sum, one) => sum + one.filter((own) => own === label).length, 0);
        return (2 * both) / all;
      };
      expect(dice).toBeCloseTo(diceOf(prediction), 12);
      expect(candidates.length).toBe(10);
      for (const candidate of candidates) {
        const map = prediction.slice();
        postprocessLabels(map, { shape, spacing, classes, steps: [candidate.step] });
        expect(candidate.dice, JSON.stringify(candidate.step)).toBeCloseTo(diceOf(map), 12);
      }
    }
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

  it("of equal gains takes the one that removes less", () => {
    // Both kidneys stay; specks of 4 mm³ go, by any threshold above and by keeping two.
    const tables = [0, 1].map((fold) =>
      table(fold, 20_000, [[10_000, 10_000], [10_000, 10_000], ...Array.from({ length: 500 }, (): [number, number] => [2, 0])]),
    );
    expect(choosePostprocessing(tables).steps).toEqual([{ operation: "minimalSize", classes: ["kidney"], size: 10, unit: "mm3" }]);
  });

  it("counts a class that is rightly absent afterwards as 1, so that removing false alarms is a gain", () => {
    const tables = [table(0, 0, [[4, 0]], "tumor"), table(1, 1000, [[1000, 1000]], "tumor")];
    expect(choosePostprocessing(tables).classes[0]).toMatchObject({ dice: 0.5, chosenDice: 1 });
  });

  it("a gain below 0.001 is none, and a case never decides on itself in the honest figure", () => {
    expect(
      choosePostprocessing([
        table(0, 100_000, [
          [100_000, 100_000],
          [1, 0],
        ]),
      ]).steps,
    ).toEqual([]);
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
    const [own] = choosePostprocessing(tables).classes;
    expect(own!.heldOutDice).toBeLessThan(own!.dice);
    expect(own!.chosenDice).toBeGreaterThanOrEqual(own!.dice);
    expect(choosePostprocessing([table(0, 100, [[60, 60]])]).classes[0]!.heldOutDice).toBeNull();
  });
});
