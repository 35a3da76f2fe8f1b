import type { PostprocessingStep } from "../../inference/index.js";
import type { ComponentTable } from "./component-table.js";

/** What was tried for one class. */
export interface ClassChoice {
  readonly class: string;
  /** Mean Dice without postprocessing; a case in which the class is rightly absent counts 1. */
  readonly dice: number;
  /** What was chosen; null: nothing helps. */
  readonly step: PostprocessingStep | null;
  /** Mean Dice with it, over the same cases that it was chosen on. */
  readonly chosenDice: number;
  /** Mean Dice where each fold's cases get what the other folds' cases chose, so that no case decides on itself; null with a single fold. */
  readonly heldOutDice: number | null;
  readonly candidates: readonly { readonly step: PostprocessingStep; readonly dice: number }[];
}

export interface PostprocessingChoice {
  readonly steps: readonly PostprocessingStep[];
  readonly classes: readonly ClassChoice[];
}

/** mm³: about half a decade apart, from a speck to a small organ. */
const SIZES = [3, 10, 30, 100, 300, 1000, 3000, 10_000] as const;
const COUNTS = [1, 2] as const;
/** A smaller gain of the mean Dice is no reason to throw voxels away. */
const LEAST_GAIN = 0.001;

/**
 * Chooses for each class what raises the mean Dice of validation cases most: nothing, keeping the one or two largest components, or removing components
 * below a size. What is chosen must gain 0.001 or more; of equal gains the one that removes less is taken.
 *
 * @source Isensee et al., Nat. Methods 18 (2021), nnU-Net: postprocessing by largest component, chosen on cross-validation
 * @example
 * choosePostprocessing(tables).steps; // [{ operation: "keepLargest", classes: ["kidney"], count: 2 }]
 */
export function choosePostprocessing(tables: readonly ComponentTable[]): PostprocessingChoice {
  const names = [...new Set(tables.map((table) => table.class))];
  const classes = names.map((name): ClassChoice => {
    const own = tables.filter((table) => table.class === name);
    const candidates = candidatesOf(name).map((step) => ({ step, dice: meanDice(own, step) }));
    const step = best(own);
    return {
      class: name,
      dice: meanDice(own, null),
      step,
      chosenDice: meanDice(own, step),
      heldOutDice: heldOut(own),
      candidates,
    };
  });
  return { steps: classes.flatMap(({ step }) => step ?? []), classes };
}

/** In order of how much they remove at most: of equal gains the first is taken. */
function candidatesOf(name: string): PostprocessingStep[] {
  return [
    ...SIZES.map((size): PostprocessingStep => ({ operation: "minimalSize", classes: [name], size, unit: "mm3" })),
    ...[...COUNTS].reverse().map((count): PostprocessingStep => ({ operation: "keepLargest", classes: [name], count })),
  ];
}

function best(tables: readonly ComponentTable[]): PostprocessingStep | null {
  const without = meanDice(tables, null);
  let chosen: PostprocessingStep | null = null;
  let highest = without + LEAST_GAIN;
  for (const step of candidatesOf(tables[0]!.class)) {
    const dice = meanDice(tables, step);
    if (chosen ? dice > highest + 1e-9 : dice >= highest) {
      chosen = step;
      highest = dice;
    }
  }
  return chosen;
}

function heldOut(tables: readonly ComponentTable[]): number | null {
  const folds = [...new Set(tables.map(({ fold }) => fold))];
  if (folds.length < 2) return null;
  const dices = folds.flatMap((fold) => {
    const own = tables.filter((table) => table.fold === fold);
    // By case, not by fold: where folds are repeated, a case is held out in several.
    const others = tables.filter(({ id }) => !own.some((table) => table.id === id));
    if (others.length === 0) return own.map((table) => diceWith(table, null));
    const step = best(others);
    return own.map((table) => diceWith(table, step));
  });
  return mean(dices);
}

function meanDice(tables: readonly ComponentTable[], step: PostprocessingStep | null): number {
  return mean(tables.map((table) => diceWith(table, step)));
}

/** Dice of a case after the step: sums over the components that stay. */
function diceWith({ components, reference, voxelVolume }: ComponentTable, step: PostprocessingStep | null): number {
  const kept = !step
    ? components
    : step.operation === "keepLargest"
      ? components.slice(0, step.count)
      : components.filter(({ voxels }) => voxels * (step.unit === "voxels" ? 1 : voxelVolume) >= step.size);
  const predicted = kept.reduce((sum, { voxels }) => sum + voxels, 0);
  const hits = kept.reduce((sum, one) => sum + one.hits, 0);
  return predicted + reference === 0 ? 1 : (2 * hits) / (predicted + reference);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
