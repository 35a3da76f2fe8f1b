import { requireKnownOptions } from "../../core/require-known-options.js";
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
  /** What is carried out; null: nothing helps all of them, or what helps does not hold. */
  readonly step: PostprocessingStep | null;
  /** What all cases together would choose and does not hold on cases that took no part in its choice. */
  readonly refused: PostprocessingStep | null;
  /** The mean after what is carried out. */
  readonly chosenDice: number;
  /** The mean where each fold's cases get what the other folds' cases choose, carried out or refused; null where no step was tried so. */
  readonly heldOutDice: number | null;
  readonly candidates: readonly TriedStep[];
}

/** What was tried for one class. */
export interface ClassChoice {
  readonly class: string;
  /** Mean Dice without postprocessing; a case in which the class is rightly absent counts 1. */
  readonly dice: number;
  /** What is carried out for it alone; null: nothing helps, or what helps does not hold. */
  readonly step: PostprocessingStep | null;
  /** What all cases together would choose and does not hold on cases that took no part in its choice. */
  readonly refused: PostprocessingStep | null;
  /** Mean Dice with all that is carried out, for regions too, over the same cases that it was chosen on. */
  readonly chosenDice: number;
  /** The same where each fold's cases get what the other folds' cases choose, so that no case decides on itself; null with a single case. */
  readonly heldOutDice: number | null;
  /** What the refused step would have given, each fold's chosen on the others; null where none was refused, or with a single case. */
  readonly refusedDice: number | null;
  /** After what is carried out for regions. */
  readonly candidates: readonly TriedStep[];
}

export interface PostprocessingChoice {
  /** Regions first, then classes: to be carried out in this order. */
  readonly steps: readonly PostprocessingStep[];
  /** In how many parts the cases checked each other: folds, or groups of cases where there is one fold; 0 with a single case, which nothing can check. */
  readonly parts: number;
  readonly regions: readonly RegionChoice[];
  readonly classes: readonly ClassChoice[];
}

export interface ChoosePostprocessingOptions {
  /** Cases of one group, such as one patient, never check each other; every case is one of its own. */
  readonly groupOf?: (id: string) => string;
}

/** mm³: about half a decade apart, from a speck to a small organ. */
const SIZES = [3, 10, 30, 100, 300, 1000, 3000, 10_000] as const;
const COUNTS = [1, 2] as const;
/** A smaller gain of the mean Dice is no reason to throw voxels away. */
const LEAST_GAIN = 0.001;
/** Sums in another order are the same. */
const ROUNDING = 1e-9;
/** Of a single fold's cases. */
const GROUPS = 5;

/** What steps have left of a table. */
interface Remains extends ComponentTable {
  readonly components: readonly (PredictedComponent & { readonly place: number })[];
}

/** A part of the cases, and all tables as what the other parts have chosen so far leaves them. */
interface Part {
  readonly isOwn: (table: ComponentTable) => boolean;
  /** By case, not by fold: where folds are repeated, a case is held out in several. */
  readonly isOther: (table: ComponentTable) => boolean;
  readonly tables: readonly Remains[];
}

/**
 * Chooses what raises the mean Dice of validation cases: first for each region (all foreground classes together), then for each class alone: nothing,
 * keeping the one or two largest components, or removing components below a size.
 *
 * A step must gain 0.001 or more, twice: on the cases that choose it, and where each fold's cases get what the other folds' cases choose (with a single fold,
 * groups of its cases, where those that `groupOf` gives one name stay together). One that does not hold there is refused. Of equal gains the one that removes less is taken. A region's step must gain on the mean
 * of its classes and cost none of them, both times.
 *
 * @source Isensee et al., Nat. Methods 18 (2021), nnU-Net: largest component of the whole foreground, then of each class, chosen on cross-validation
 * @example
 * choosePostprocessing(tables).steps; // [{ operation: "keepLargest", classes: ["kidney"], count: 2 }]
 */
export function choosePostprocessing(
  tables: readonly ComponentTable[],
  { groupOf = (id) => id, ...unknown }: ChoosePostprocessingOptions = {},
): PostprocessingChoice {
  requireKnownOptions("choosePostprocessing", unknown, ["groupOf"]);
  const all = tables.map(whole);
  const groups = [...new Map(all.map((table) => [table.class, classesOf(table)]))];
  const steps: PostprocessingStep[] = [];
  let left: readonly Remains[] = all;
  let parts = partsOf(all, groupOf);
  const decide = (members: readonly string[]): Decision => {
    const decision = decided(left, parts, members);
    const { step } = decision;
    if (!step) return decision;
    steps.push(step);
    left = applied(left, [step]);
    parts = decision.parts;
    return decision;
  };
  const regions = groups.flatMap(([region, members]): RegionChoice[] => {
    if (members.length === 1) return [];
    const { dice, step, refused, chosenDice, heldOutDice, candidates } = decide(members);
    return [{ region, dice, step, refused, chosenDice, heldOutDice, candidates }];
  });
  const classes = groups.flatMap(([name, members]) => (members.length > 1 ? [] : [{ name, ...decide(members) }]));
  return {
    steps,
    parts: parts.length,
    regions,
    classes: classes.map(({ name, step, refused, heldOutDice, candidates }) => ({
      class: name,
      dice: meanDice(all, name),
      step,
      refused,
      chosenDice: meanDice(left, name),
      heldOutDice: parts.length === 0 ? null : meanDice(ownOf(parts), name),
      refusedDice: refused ? heldOutDice : null,
      candidates,
    })),
  };
}

interface Decision extends Omit<RegionChoice, "region"> {
  /** As the step leaves them: each part by what its others choose. */
  readonly parts: readonly Part[];
}

/** What is best for some classes on all cases, if it holds on the cases of each part by what the others choose. */
function decided(left: readonly Remains[], parts: readonly Part[], members: readonly string[]): Decision {
  const meanOf = (tables: readonly Remains[]): number => mean(members.map((name) => meanDice(tables, name)));
  const { chosen, candidates } = choose(left, members);
  const dice = meanOf(left);
  if (!chosen) return { dice, step: null, refused: null, chosenDice: dice, heldOutDice: null, candidates, parts };
  const after = parts.map((part): Part => {
    const others = part.tables.filter(part.isOther);
    const { chosen: theirs } = choose(others, members);
    return theirs ? { ...part, tables: applied(part.tables, [theirs.step]) } : part;
  });
  const [own, ownAfter] = [ownOf(parts), ownOf(after)];
  const heldOutDice = parts.length === 0 ? null : meanOf(ownAfter);
  const isHarmless = members.every((name) => meanDice(ownAfter, name) >= meanDice(own, name) - ROUNDING);
  const holds = heldOutDice !== null && heldOutDice >= meanOf(own) + LEAST_GAIN - ROUNDING && isHarmless;
  if (!holds) return { dice, step: null, refused: chosen.step, chosenDice: dice, heldOutDice, candidates, parts };
  return { dice, step: chosen.step, refused: null, chosenDice: chosen.dice, heldOutDice, candidates, parts: after };
}

/** What raises the mean Dice of some classes most without costing any of them, on some cases. */
function choose(
  tables: readonly Remains[],
  members: readonly string[],
): { readonly chosen: TriedStep | undefined; readonly candidates: readonly TriedStep[] } {
  const before = members.map((name) => meanDice(tables, name));
  const tried = candidatesOf(members).map((step) => {
    const left = applied(tables, [step]);
    const own = members.map((name) => meanDice(left, name));
    return { step, dice: mean(own), isHarmless: own.every((dice, at) => dice >= before[at]! - ROUNDING) };
  });
  const chosen = best(
    tried.filter(({ isHarmless }) => isHarmless),
    mean(before),
  );
  return { chosen, candidates: tried.map(({ step, dice }) => ({ step, dice })) };
}

/** The folds; of a single one, groups of its cases; none where there is one case, or one group. */
function partsOf(all: readonly Remains[], groupOf: (id: string) => string): readonly Part[] {
  const folds = [...new Set(all.map(({ fold }) => fold))];
  const part = (isOwn: (table: ComponentTable) => boolean): Part => {
    const ids = new Set(all.filter(isOwn).map(({ id }) => id));
    return { isOwn, isOther: ({ id }) => !ids.has(id), tables: all };
  };
  if (folds.length > 1) return folds.map((fold) => part((table) => table.fold === fold));
  const names = [...new Set(all.map(({ id }) => groupOf(id)))].sort();
  if (names.length < 2) return [];
  const count = Math.min(GROUPS, names.length);
  const places = new Map(names.map((name, at) => [name, at % count]));
  return Array.from({ length: count }, (_, place) => part(({ id }) => places.get(groupOf(id)) === place));
}

/** Every case as its own part has it. */
function ownOf(parts: readonly Part[]): readonly Remains[] {
  return parts.flatMap(({ tables, isOwn }) => tables.filter(isOwn));
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
