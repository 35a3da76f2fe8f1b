import type { Json } from "../core/json.js";
import type { HistoryEntry } from "../core/sample.js";
import type { ArrayLayout, Effect, SampleLayout, Step } from "../workers/steps/step.js";
import type { StepCall } from "../workers/steps/step-call.js";
import type { StepModule } from "../workers/steps/step-module.js";

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
  readonly module?: StepModule;
}

export interface ChainStart {
  readonly layout: SampleLayout;
  /** Whether the first arrays may be overwritten: nobody else holds them. */
  readonly imageIsOwn: boolean;
  readonly labelIsOwn: boolean;
}

/** Shapes, memory and calls of a chain for one sample, step by step; nothing is allocated here. */
export class ChainPlan {
  readonly slots: Slot[] = [];
  readonly calls: StepCall[] = [];
  readonly history: HistoryEntry[] = [];
  layout: SampleLayout;
  image: Slot;
  label: Slot | undefined;
  private readonly writable = new Set<Slot>();

  constructor({ layout, imageIsOwn, labelIsOwn }: ChainStart) {
    this.layout = layout;
    this.image = this.newSlot(layout.image, true);
    this.label = layout.label && this.newSlot(layout.label, true);
    if (imageIsOwn) this.writable.add(this.image);
    if (labelIsOwn && this.label) this.writable.add(this.label);
  }

  add({ name, params, step, module }: DrawnStep): void {
    const { layout, image: fromImage, label: fromLabel } = this;
    const plan = step.plan(layout, params);
    this.image = this.follow(fromImage, plan.image, plan.layout.image);
    if (fromLabel && plan.layout.label) this.label = this.follow(fromLabel, plan.label, plan.layout.label);
    if (plan.image !== "keep" || plan.label !== "keep") {
      this.calls.push({
        name,
        params,
        ...(module && { module: { url: module.url, export: module.export } }),
        before: layout,
        after: plan.layout,
        ...(plan.image !== "keep" && { image: [fromImage.index, this.image.index] as const }),
        ...(plan.label !== "keep" && fromLabel && this.label && { label: [fromLabel.index, this.label.index] as const }),
      });
    }
    this.history.push({
      operator: name,
      params,
      ...(step.inverse && { before: { shape: layout.image.shape, geometry: layout.image.geometry } }),
    });
    this.layout = plan.layout;
  }

  private newSlot(layout: ArrayLayout, isInput: boolean): Slot {
    const slot: Slot = { index: this.slots.length, layout, isInput, isUsed: !isInput };
    this.slots.push(slot);
    return slot;
  }

  private follow(slot: Slot, effect: Effect, layout: ArrayLayout): Slot {
    if (effect === "keep") return slot;
    slot.isUsed = true;
    if (effect === "rewrite" && this.writable.has(slot)) return slot;
    const made = this.newSlot(layout, false);
    this.writable.add(made);
    return made;
  }
}

/** Plans a whole chain; what only voxels tell is taken as large as it can be. */
export function planChain(start: ChainStart, steps: readonly ((layout: SampleLayout, position: number) => DrawnStep | undefined)[]): ChainPlan {
  const plan = new ChainPlan(start);
  for (const next of steps) {
    const drawn = next(plan.layout, plan.history.length);
    if (drawn) plan.add(drawn);
  }
  return plan;
}

/** Whether a step must look at voxels before it can be planned. */
export function mustMeasure({ step, params }: DrawnStep): boolean {
  return step.measure !== undefined && !(typeof params === "object" && params !== null && "measured" in params);
}
