import type { Json } from "../core/json.js";
import type { HistoryEntry } from "../core/sample.js";
import type { ArrayLayout, Effect, SampleLayout, Step } from "../workers/steps/step.js";
import type { StepCall } from "../workers/steps/step-call.js";

/** One array on its way through a chain. */
export interface Slot {
  readonly index: number;
  readonly layout: ArrayLayout;
  /** Whether the array was there before the chain. */
  readonly isInput: boolean;
  /** Whether a step touches it; an untouched stored array is never read. */
  isUsed: boolean;
}

/** A step with the parameters for one sample. */
export interface DrawnStep {
  readonly name: string;
  readonly params: Json;
  readonly step: Step<Json>;
}

export interface ChainStart {
  readonly layout: SampleLayout;
  /** Whether the first arrays may be overwritten: nobody else holds them. */
  readonly imageIsOwn: boolean;
  readonly labelIsOwn: boolean;
}

/** Shapes, memory and calls of a chain for one sample; nothing is allocated yet. */
export interface ChainPlan {
  readonly slots: readonly Slot[];
  readonly image: Slot;
  readonly label: Slot | undefined;
  readonly layout: SampleLayout;
  readonly calls: readonly StepCall[];
  readonly history: readonly HistoryEntry[];
}

/** Plans a chain step by step; `next` draws the k-th step for the layout that it meets. */
export function planChain(
  { layout: first, imageIsOwn, labelIsOwn }: ChainStart,
  steps: readonly ((layout: SampleLayout, position: number) => DrawnStep | undefined)[],
): ChainPlan {
  const slots: Slot[] = [];
  const writable = new Set<Slot>();
  const add = (layout: ArrayLayout, isInput: boolean): Slot => {
    const slot: Slot = { index: slots.length, layout, isInput, isUsed: !isInput };
    slots.push(slot);
    return slot;
  };
  const follow = (slot: Slot, effect: Effect, layout: ArrayLayout): Slot => {
    if (effect === "keep") return slot;
    slot.isUsed = true;
    if (effect === "rewrite" && writable.has(slot)) return slot;
    const made = add(layout, false);
    writable.add(made);
    return made;
  };
  let layout = first;
  let image = add(first.image, true);
  let label = first.label && add(first.label, true);
  if (imageIsOwn) writable.add(image);
  if (labelIsOwn && label) writable.add(label);

  const calls: StepCall[] = [];
  const history: HistoryEntry[] = [];
  for (const next of steps) {
    const drawn = next(layout, history.length);
    if (!drawn) continue;
    const { name, params, step } = drawn;
    const plan = step.plan(layout, params);
    const [fromImage, fromLabel] = [image, label];
    image = follow(image, plan.image, plan.layout.image);
    if (label && plan.layout.label) label = follow(label, plan.label, plan.layout.label);
    if (plan.image !== "keep" || plan.label !== "keep") {
      calls.push({
        name,
        params,
        before: layout,
        after: plan.layout,
        ...(plan.image !== "keep" && { image: [fromImage.index, image.index] as const }),
        ...(plan.label !== "keep" && fromLabel && label && { label: [fromLabel.index, label.index] as const }),
      });
    }
    history.push({
      operator: name,
      params,
      ...(step.inverse && { before: { shape: layout.image.shape, geometry: layout.image.geometry } }),
    });
    layout = plan.layout;
  }
  return { slots, image, label, layout, calls, history };
}
