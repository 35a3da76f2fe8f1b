import { setImmediate as nextTurn } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { isVoxError, VoxError } from "../../core/errors.js";
import type { Shape4, Triple } from "../../core/shape.js";
import { MergeMemory } from "../../inference/merge-memory.js";
import { type Infer, slidingWindow } from "../../inference/sliding-window.js";
import type { LabelArray } from "../../kernels/label-array.js";
import type { GraphHost, TrainingBatch } from "../hosting/batch-source.js";
import { orAborted } from "../or-aborted.js";
import type { PredictedCase } from "../run/case-predictions.js";
import type { Learner } from "./learner.js";

export interface ValidateCasesOptions {
  readonly learner: Learner;
  readonly host: GraphHost;
  readonly ids: readonly string[];
  readonly patch: Triple;
  /** Voxels that neighboring windows share; half the patch by default. */
  readonly overlap?: Triple | undefined;
  readonly signal: AbortSignal;
  /** Between two cases. */
  readonly onTurn: () => Promise<void>;
  /** Keeps what is predicted, and tells where. */
  readonly keep?: ((predicted: PredictedCase) => Promise<string | undefined>) | undefined;
}

/** Of one class: the sum of its Dice, and over how many cases. */
export interface DiceSum {
  readonly dice: number;
  readonly cases: number;
}

export interface CaseValidation {
  /** One per class. */
  readonly sums: readonly DiceSum[];
  /** Cases that were predicted, with the Dice of the classes that are there or were predicted. */
  readonly cases: readonly ValidatedCase[];
}

/** A case that was predicted while training. */
export interface ValidatedCase {
  readonly id: string;
  readonly dice: Readonly<Record<string, number>>;
  readonly path?: string;
}

/**
 * Predicts whole validation cases by a sliding window, as `voxstream predict` does, and sums up the Dice of the label maps on the grid of the network, over
 * the cases that have a class or for which it was predicted. Undefined when the signal comes in between.
 *
 * One case is in memory at a time, out of the budget of the validation graph; beside it lie its label map and one slab of probabilities, as deep as a patch.
 *
 * @throws `ERR_LABEL` for a case without labels
 */
export async function validateCases(options: ValidateCasesOptions): Promise<CaseValidation | undefined> {
  const { learner, host, ids, patch, overlap, signal, onTurn, keep } = options;
  const { model, classes } = learner;
  const { ignore } = (learner.loss.options ?? {}) as { readonly ignore?: number };
  const source = await host.open({ mode: "validation", ids, epochs: 1, whole: true });
  const memory = new MergeMemory();
  const sums = classes.map(() => ({ dice: 0, cases: 0 }));
  const cases: ValidatedCase[] = [];
  try {
    for (;;) {
      await onTurn();
      const batch = signal.aborted ? undefined : await orAborted(source.next(), signal);
      if (!batch) break;
      const [, depth, height, width, channels] = batch.image.shape;
      const shape: Shape4 = [depth, height, width, channels];
      const { labels } = await slidingWindow(batch.image.data, shape, {
        infer: inferWith(model, patch, channels),
        classes: classes.length,
        patch,
        memory,
        signal,
        ...(overlap && { overlap }),
      });
      const dice = diceOf(classes.length, labels, truthOf(batch), ignore);
      dice.forEach((value, label) => {
        // A class that is neither there nor predicted says nothing.
        if (value === undefined) return;
        sums[label]!.dice += value;
        sums[label]!.cases++;
      });
      const part = batch.parts[0]!;
      const path = await keep?.({ part, labels, shape: [depth, height, width] });
      const known = classes.flatMap((name, label) => (label > 0 && dice[label] !== undefined ? [[name, dice[label]] as const] : []));
      cases.push({ id: part.id, dice: Object.fromEntries(known), ...(path !== undefined && { path }) });
      batch.release();
      await nextTurn();
    }
  } catch (error) {
    if (signal.aborted && isVoxError(error) && error.code === "ERR_STOPPED") return undefined;
    throw error;
  } finally {
    await source.close();
  }
  return signal.aborted ? undefined : { sums, cases };
}

/** `dice_<class>` per foreground class that any case has, its mean over those cases, and `dice`, the mean of these. */
export function caseFigures(sums: readonly DiceSum[], classes: readonly string[]): Readonly<Record<string, number>> {
  const known = sums.flatMap(({ dice, cases }, label) => (label > 0 && cases > 0 ? [[`dice_${classes[label]}`, dice / cases] as const] : []));
  if (known.length === 0) return {};
  return { dice: known.reduce((sum, [, dice]) => sum + dice, 0) / known.length, ...Object.fromEntries(known) };
}

/** The columns that `caseFigures` can give, in order. */
export function caseColumns(classes: readonly string[]): readonly string[] {
  return ["dice", ...classes.slice(1).map((name) => `dice_${name}`)];
}

function inferWith(model: tfl.LayersModel, patch: Triple, channels: number): Infer {
  const spatial = model.inputs[0]!.shape.length === 4 ? patch.slice(1) : patch;
  return async (patches, count) => {
    const probabilities = tf.tidy(() => {
      const logits = model.apply(tf.tensor(patches, [count, ...spatial, channels], "float32"), { training: false });
      // With deep supervision, the finest level comes first.
      return tf.softmax((Array.isArray(logits) ? logits[0]! : logits) as tf.Tensor, -1);
    });
    try {
      return (await probabilities.data()) as Float32Array;
    } finally {
      probabilities.dispose();
    }
  };
}

/** One label per voxel, also of one-hot targets. */
function truthOf({ label, parts }: TrainingBatch): ArrayLike<number> {
  if (!label) {
    throw new VoxError("a case must have labels to validate on", {
      code: "ERR_LABEL",
      where: "validation",
      ...(parts[0] && { sampleId: parts[0].id }),
    });
  }
  const channels = label.shape[4];
  if (channels === 1) return label.data;
  return Uint16Array.from({ length: label.data.length / channels }, (_, voxel) =>
    label.data.subarray(voxel * channels, (voxel + 1) * channels).indexOf(1),
  );
}

/** One per label; undefined where it is neither there nor predicted. */
function diceOf(classes: number, labels: LabelArray, truth: ArrayLike<number>, ignore: number | undefined): readonly (number | undefined)[] {
  const both = new Float64Array(classes);
  const either = new Float64Array(classes);
  for (let voxel = 0; voxel < labels.length; voxel++) {
    const wanted = truth[voxel]!;
    if (wanted === ignore) continue;
    const given = labels[voxel]!;
    either[given]!++;
    either[wanted]!++;
    if (given === wanted) both[given]!++;
  }
  return Array.from(either, (count, label) => (count === 0 ? undefined : (2 * both[label]!) / count));
}
