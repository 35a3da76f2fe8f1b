import type { PostprocessingStep } from "../../inference/index.js";
import type { ComponentTable, PredictedComponent } from "./component-table.js";

/** A step that was tried, and the mean Dice with it. */
export interface TriedStep {
  readonly step: PostprocessingStep;
  readonly dice: number;
}

/** What was tried for several classes taken together. */
export interface RegionChoice {
  /** Classes joined by `+`. */
  readonly region: string;
  /** Mean over its classes of their mean Dice before. */
  readonly dice: number;
  /** What was chosen; null: nothing helps all of them. */
  readonly step: PostprocessingStep | null;
  /** The mean after. */
  readonly chosenDice: number;
  readonly candidates: readonly TriedStep[];
}

/** What was tried for one class. */
export interface ClassChoice {
  readonly class: string;
  /** Mean Dice without postprocessing; a case in which the class is rightly absent counts 1. */
  readonly dice: number;
  /** What was chosen for it alone; null: nothing helps. */
  readonly step: PostprocessingStep | null;
  /** Mean Dice with all that was chosen, for regions too, over the same cases that it was chosen on. */
  readonly chosenDice: number;
  /** Mean Dice where each fold's cases get what the other folds' cases chose, so that no case decides on itself; null with a single fold. */
  readonly heldOutDice: number | null;
  /** After what was chosen for regions. */
  readonly candidates: readonly TriedStep[];
}

export interface PostprocessingChoice {
  /** Regions first, then classes: to be carried out in this order. */
  readonly steps: readonly PostprocessingStep[];
  readonly regions: readonly RegionChoice[];
  readonly classes: readonly ClassChoice[];
}

/** mm³: about half a decade apart, from a speck to a small organ. */
const SIZES = [3, 10, 30, 100, 300, 1000, 3000, 10_000] as const;
const COUNTS = [1, 2] as const;
/** A smaller gain of the mean Dice is no reason to throw voxels away. */
const LEAST_GAIN = 0.001;
/** Sums in another order are the same. */
const ROUNDING = 1e-9;

/** What steps have left of a table. */
interface Remains extends ComponentTable {
  readonly components: readonly (PredictedComponent & { readonly place: number })[];
}

/**
 * Chooses what raises the mean Dice of validation cases: first for each region (all foreground classes together), then for each class alone: nothing,
 * keeping the one or two largest components, or removing components below a size.
 *
 * What is chosen must gain 0.001 or more; of equal gains the one that removes less is taken. A region's step must gain on the mean of its classes and cost
 * none of them.
 *
 * @source Isensee et al., Nat. Methods 18 (2021), nnU-Net: largest component of the whole foreground, then of each class, chosen on cross-validation
 * @example
 * choosePostprocessing(tables).steps; // [{ operation: "keepLargest", classes: ["kidney"], count: 2 }]
 */
export function choosePostprocessing(tables: readonly ComponentTable[]): PostprocessingChoice {
  const all = tables.map(whole);
  const { steps, regions, classes } = choose(all);
  const result = applied(all, steps);
  const honest = heldOut(all);
  return {
    steps,
    regions,
    classes: classes.map(({ class: name, ...own }) => ({
      class: name,
      dice: meanDice(all, name),
      step: own.step,
      chosenDice: meanDice(result, name),
      heldOutDice: honest === null ? null : meanDice(honest, name),
      candidates: own.candidates,
    })),
  };
}

function choose(all: readonly Remains[]): {
  readonly steps: readonly PostprocessingStep[];
  readonly regions: readonly RegionChoice[];
  readonly classes: readonly { readonly class: string; readonly step: PostprocessingStep | null; readonly candidates: readonly TriedStep[] }[];
} {
  const groups = new Map(all.map((table) => [table.class, classesOf(table)]));
  const steps: PostprocessingStep[] = [];
  const regions: RegionChoice[] = [];
  let left = all;
  for (const [region, members] of groups) {
    if (members.length === 1) continue;
    const before = members.map((name) => meanDice(left, name));
    const tried = candidatesOf(members).map((step) => {
      const own = members.map((name) => meanDice(applied(left, [step]), name));
      return { step, dice: mean(own), isHarmless: own.every((dice, at) => dice >= before[at]! - ROUNDING) };
    });
    const dice = mean(before);
    const chosen = best(
      tried.filter(({ isHarmless }) => isHarmless),
      dice,
    );
    regions.push({
      region,
      dice,
      step: chosen?.step ?? null,
      chosenDice: chosen?.dice ?? dice,
      candidates: tried.map(({ step, dice: own }) => ({ step, dice: own })),
    });
    if (!chosen) continue;
    steps.push(chosen.step);
    left = applied(left, [chosen.step]);
  }
  const classes = [...groups].flatMap(([name, members]) => {
    if (members.length > 1) return [];
    const candidates = candidatesOf(members).map((step) => ({ step, dice: meanDice(applied(left, [step]), name) }));
    return [{ class: name, step: best(candidates, meanDice(left, name))?.step ?? null, candidates }];
  });
  return { steps: [...steps, ...classes.flatMap(({ step }) => step ?? [])], regions, classes };
}

/** In order of how much they remove at most: of equal gains the first is taken. */
function candidatesOf(classes: readonly string[]): PostprocessingStep[] {
  return [
    ...SIZES.map((size): PostprocessingStep => ({ operation: "minimalSize", classes, size, unit: "mm3" })),
    ...[...COUNTS].reverse().map((count): PostprocessingStep => ({ operation: "keepLargest", classes, count })),
  ];
}

function best(candidates: readonly TriedStep[], without: number): TriedStep | undefined {
  let chosen: TriedStep | undefined;
  for (const candidate of candidates) {
    if (chosen ? candidate.dice > chosen.dice + ROUNDING : candidate.dice >= without + LEAST_GAIN) chosen = candidate;
  }
  return chosen;
}

/** All tables, each fold's after what the other folds' cases choose; null with a single fold. */
function heldOut(all: readonly Remains[]): readonly Remains[] | null {
  const folds = [...new Set(all.map(({ fold }) => fold))];
  if (folds.length < 2) return null;
  return folds.flatMap((fold) => {
    const own = all.filter((table) => table.fold === fold);
    const ids = new Set(own.map(({ id }) => id));
    // By case, not by fold: where folds are repeated, a case is held out in several.
    const others = all.filter(({ id }) => !ids.has(id));
    return others.length === 0 ? own : applied(own, choose(others).steps);
  });
}

/** What is left after steps of which a later one takes a part of an earlier one's classes, or others. */
function applied(all: readonly Remains[], steps: readonly PostprocessingStep[]): readonly Remains[] {
  return steps.reduce((tables, step) => {
    const name = step.classes.join("+");
    const caseOf = ({ fold, id }: ComponentTable): string => JSON.stringify([fold, id]);
    const kept = new Map(tables.filter((table) => table.class === name).map((table) => [caseOf(table), keptBy(step, table)]));
    return tables.map((table): Remains => {
      const own = kept.get(caseOf(table));
      const places = own && new Set(own.map(({ place }) => place));
      if (!own || !places) return table;
      if (table.class === name) return { ...table, components: own };
      return { ...table, components: table.components.filter(({ within }) => within?.[name] === undefined || places.has(within[name])) };
    });
  }, all);
}

function keptBy(step: PostprocessingStep, { components, voxelVolume }: Remains): Remains["components"] {
  if (step.operation === "keepLargest") return components.slice(0, step.count);
  return components.filter(({ voxels }) => voxels * (step.unit === "voxels" ? 1 : voxelVolume) >= step.size);
}

function whole(table: ComponentTable): Remains {
  return { ...table, components: table.components.map((component, place) => ({ ...component, place })) };
}

function classesOf({ class: name, classes = [name] }: ComponentTable): readonly string[] {
  return classes;
}

/** Mean over cases of the Dice of a class: sums over the components that are left. */
function meanDice(tables: readonly Remains[], name: string): number {
  const own = tables.filter((table) => table.class === name);
  return mean(
    own.map(({ components, reference }) => {
      const predicted = components.reduce((sum, { voxels }) => sum + voxels, 0);
      const hits = components.reduce((sum, one) => sum + one.hits, 0);
      return predicted + reference === 0 ? 1 : (2 * hits) / (predicted + reference);
    }),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
