import type { Json } from "../../core/json.js";
import type { Step } from "./step.js";
import type { StepModule } from "./step-module.js";
import { STEPS } from "./steps.js";

/** A step of the user's own, as `transform` has met it. */
export interface OwnStep {
  readonly step: Step<Json>;
  readonly module?: StepModule & { readonly hash: string };
}

const own = new Map<string, OwnStep>();

/** Remembers a step of the user's own by its name, so that histories, bundles and predictions find it in this thread. */
export function rememberStep(name: string, step: OwnStep): void {
  own.set(name, step);
}

export function findOwnStep(name: string): OwnStep | undefined {
  return own.get(name);
}

/** A step by the name that histories know it by: one of the table, or one of the user's own that this thread has met. */
export function findStep(name: string): Step<Json> | undefined {
  return Object.hasOwn(STEPS, name) ? STEPS[name] : own.get(name)?.step;
}
