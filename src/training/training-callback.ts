import type * as tfl from "@tensorflow/tfjs-layers";
import type { RunEvent } from "../core/run-events.js";

type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { readonly type: T }>;

/** What callbacks may look at. */
export interface CallbackContext {
  readonly model: tfl.LayersModel;
  readonly folder: string;
  readonly classes: readonly string[];
  /** Ends the training after this step or epoch, as early stopping does. */
  stop(reason: string): void;
}

/** Hooks into training, called in the order of the list; each is awaited. */
export interface TrainingCallback {
  onStep?(event: EventOf<"step">, context: CallbackContext): void | Promise<void>;
  onEpoch?(event: EventOf<"epoch">, context: CallbackContext): void | Promise<void>;
  onEnd?(event: EventOf<"end">, context: CallbackContext): void | Promise<void>;
}
