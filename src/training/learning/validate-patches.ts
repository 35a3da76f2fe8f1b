import { setImmediate as nextTurn } from "node:timers/promises";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { GraphHost } from "../hosting/batch-source.js";
import { orAborted } from "../or-aborted.js";
import { addStep, type EpochSums, NO_SUMS } from "../training-state.js";
import { type CapturedPreview, capturePreview } from "./capture-preview.js";
import { type Learner, validationStep } from "./learner.js";

export interface ValidatePatchesOptions {
  readonly learner: Learner;
  readonly host: GraphHost;
  readonly ids: readonly string[];
  readonly signal: AbortSignal;
  /** Whether to keep the patch with the most foreground, to be shown. */
  readonly isShown: boolean;
  /** Between two batches. */
  readonly onTurn: () => Promise<void>;
}

export interface PatchValidation {
  readonly sums: EpochSums;
  readonly captured: CapturedPreview | undefined;
}

/**
 * Sums of loss and metrics over the batches of the validation graph, which come the same way every time. Undefined when the signal comes in between.
 */
export async function validatePatches({ learner, host, ids, signal, isShown, onTurn }: ValidatePatchesOptions): Promise<PatchValidation | undefined> {
  const source = await host.open({ mode: "validation", ids, epochs: 1 });
  let sums = NO_SUMS;
  let captured: CapturedPreview | undefined;
  try {
    for (;;) {
      await onTurn();
      const batch = signal.aborted ? undefined : await orAborted(source.next(), signal);
      if (!batch || signal.aborted) break;
      const look = async (logits: Tensor): Promise<void> => {
        captured = (await capturePreview(batch, logits, captured?.foreground)) ?? captured;
      };
      const figures = await validationStep(learner, batch, isShown ? look : undefined);
      sums = addStep(sums, { ...figures, samples: batch.parts.length, waitMs: source.waitMs, totalMs: 0 });
      batch.release();
      await nextTurn();
    }
  } finally {
    await source.close();
  }
  return signal.aborted ? undefined : { sums, captured };
}
