import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import type { Shape4, Triple } from "../../src/core/shape.js";
import { evaluateCase } from "../../src/evaluation/evaluate-case.js";
import type { EvaluationRow } from "../../src/evaluation/index.js";
import { permuteAxes } from "../../src/inference/permute-axes.js";

const SHAPE: Triple = [6, 8, 9];
const SPACING: Triple = [3, 0.8, 1.1];
const CLASSES = ["background", "kidney", "tumor", "cyst", "absent"];

function draw(seed: number): Uint8Array {
  const random = new Random(seed, "maps");
  return Uint8Array.from({ length: 6 * 8 * 9 }, () => (random.uniform(0, 1) < 0.25 ? random.integer(1, 3) : 0));
}

const prediction = draw(1);
const reference = draw(2).map((label, i) => (i % 3 === 0 ? prediction[i]! : label));
const rows = evaluateCase({ id: "a", prediction, reference, shape: SHAPE, spacing: SPACING, classes: CLASSES });
const of = (list: readonly EvaluationRow[], name: string): EvaluationRow => list.find((row) => row.class === name)!;

describe("evaluateCase", () => {
  it("gives all metrics of every foreground class, with the state of each", () => {
    expect(rows.map((row) => [row.class, row.state])).toEqual([
      ["kidney", "ok"],
      ["tumor", "ok"],
      ["cyst", "ok"],
      ["absent", "both_empty"],
    ]);
    const columns = "dice iou sensitivity precision specificity accuracy hd hd95 assd nsd_1mm lesion_f1 volume_error volume_error_mm3";
    for (const row of rows) expect(Object.keys(row.metrics)).toEqual(columns.split(" "));
    for (const value of Object.values(rows[0]!.metrics)) expect(value).toEqual(expect.any(Number));
  });

  it("does not depend on the order of the classes", () => {
    const order = [0, 3, 1, 4, 2];
    const renamed = (map: Uint8Array): Uint8Array => map.map((label) => order.indexOf(label));
    const classes = order.map((label) => CLASSES[label]!);
    const other = evaluateCase({ id: "a", prediction: renamed(prediction), reference: renamed(reference), shape: SHAPE, spacing: SPACING, classes });
    for (const { class: name, metrics, counts, volumes, state } of rows) expect(of(other, name)).toMatchObject({ metrics, counts, volumes, state });
  });

  it("does not depend on the order of the axes, with their spacing", () => {
    const order: Triple = [2, 0, 1];
    const turned = (map: Uint8Array): Uint8Array => permuteAxes(map, [...SHAPE, 1] as Shape4, order).data;
    const pick = (values: Triple): Triple => [values[order[0]], values[order[1]], values[order[2]]];
    const other = evaluateCase({
      id: "a",
      prediction: turned(prediction),
      reference: turned(reference),
      shape: pick(SHAPE),
      spacing: pick(SPACING),
      classes: CLASSES,
    });
    for (const { class: name, metrics, state } of rows) {
      expect(of(other, name).state).toBe(state);
      for (const [column, value] of Object.entries(metrics)) {
        const turnedValue = of(other, name).metrics[column]!;
        if (Number.isNaN(value)) expect(turnedValue, `${name} ${column}`).toBeNaN();
        else expect(turnedValue, `${name} ${column}`).toBeCloseTo(value, 5);
      }
    }
  });

  it("takes several labels together as a region beside the classes", () => {
    const both = evaluateCase({ id: "a", prediction, reference, shape: SHAPE, spacing: SPACING, classes: CLASSES, regions: { mass: [2, 3] } });
    const { counts } = of(both, "mass");
    const count = (f: (p: boolean, r: boolean) => boolean): number =>
      prediction.filter((p, i) => f(p === 2 || p === 3, [2, 3].includes(reference[i]!))).length;
    expect(counts).toEqual({
      tp: count((p, r) => p && r),
      fp: count((p, r) => p && !r),
      fn: count((p, r) => !p && r),
      tn: count((p, r) => !p && !r),
    });
  });
});
