import { VoxError } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import type { ValidationOptions } from "../config/training-config.js";
import type { GraphHost } from "../hosting/batch-source.js";
import type { Ranks } from "../ranks/ranks.js";
import { sharedError, together } from "../ranks/together.js";
import type { CasePredictions, PredictedCase } from "../run/case-predictions.js";
import { type EpochSums, epochMeans, NO_SUMS } from "../training-state.js";
import type { CapturedPreview } from "./capture-preview.js";
import type { Learner } from "./learner.js";
import { caseFigures, type DiceSum, validateCases } from "./validate-cases.js";
import { validatePatches } from "./validate-patches.js";

export interface ValidateEpochOptions {
  readonly ranks: Ranks;
  readonly learner: Learner;
  readonly host: GraphHost;
  /** Number of the epoch that is validated, from 1. */
  readonly epoch: number;
  readonly ids: readonly string[];
  readonly validation: ValidationOptions;
  readonly patch: Triple;
  readonly signal: AbortSignal;
  /** Between two batches. */
  readonly onTurn: () => Promise<void>;
  /** Shows the patch with the most foreground; on the first rank only. */
  readonly show?: ((captured: CapturedPreview) => Promise<void>) | undefined;
  /** Keeps whole cases and their scores; on the first rank only. */
  readonly kept?: CasePredictions | undefined;
}

export interface EpochValidation {
  readonly loss?: number;
  readonly metrics: Readonly<Record<string, number>>;
}

const DEFAULT_CASES_EVERY = 10;

/**
 * What is due in this epoch: figures of patches, of whole cases, of both, or nothing. Each rank takes its share of the cases. `"stopped"` when the signal
 * comes on any of them.
 *
 * @throws `ERR_EMPTY` when no batch or no case comes
 */
export async function validateEpoch(options: ValidateEpochOptions): Promise<EpochValidation | "stopped" | undefined> {
  const { ranks, learner, host, epoch, signal, onTurn, patch, show, kept } = options;
  const { patches = true, every = 1, cases } = options.validation;
  const hasCases = options.ids.length > 0;
  const duePatches = hasCases && patches && epoch % every === 0;
  const dueCases = hasCases && cases !== undefined && epoch % (cases.every ?? DEFAULT_CASES_EVERY) === 0;
  const ids = options.ids.filter((_, k) => k % ranks.size === ranks.rank);
  const shared = { learner, host, ids, signal, onTurn };
  const told = await together(ranks, async () => {
    const ofPatches = duePatches && ids.length > 0 ? await validatePatches({ ...shared, isShown: show !== undefined }) : undefined;
    if (ofPatches?.captured && !signal.aborted) await show?.(ofPatches.captured);
    const keep = kept && ((predicted: PredictedCase) => kept.add(epoch, predicted));
    const ofCases =
      dueCases && ids.length > 0 && !signal.aborted ? await validateCases({ ...shared, patch, overlap: cases.overlap, keep }) : undefined;
    return {
      isStopped: signal.aborted,
      patches: { ...(ofPatches?.sums ?? NO_SUMS) },
      cases: ofCases?.sums.map((sum) => ({ ...sum })) ?? [],
      found: ofCases?.cases.map((each) => ({ ...each })) ?? [],
    };
  });
  if (told.some(({ isStopped }) => isStopped)) return "stopped";
  if (!duePatches && !dueCases) return undefined;
  const patchSums = addSums(told.map((rank) => rank.patches));
  if (duePatches && patchSums.samples === 0) throw empty("the validation cases must give at least one batch, got none");
  if (dueCases && told.every(({ found }) => found.length === 0)) throw empty("there must be at least one whole case to validate on, got none");
  const found = told.flatMap((rank) => rank.found).sort((a, b) => options.ids.indexOf(a.id) - options.ids.indexOf(b.id));
  if (dueCases) await kept?.finish(epoch, found);
  const ofPatches = duePatches ? epochMeans(patchSums) : undefined;
  const ofCases = dueCases ? caseFigures(addDice(told.map((rank) => rank.cases)), learner.classes) : {};
  return { ...(ofPatches && { loss: ofPatches.loss }), metrics: { ...ofPatches?.metrics, ...ofCases } };
}

/** The sums over all ranks; of a single one, its own bits. */
function addSums(all: readonly EpochSums[]): EpochSums {
  return all.reduce((a, b) => {
    if (b.samples === 0) return a;
    if (a.samples === 0) return b;
    const metrics = Object.fromEntries(Object.keys(a.metrics).map((name) => [name, a.metrics[name]! + b.metrics[name]!]));
    return { loss: a.loss + b.loss, metrics, samples: a.samples + b.samples, waitMs: a.waitMs + b.waitMs, totalMs: a.totalMs + b.totalMs };
  });
}

function addDice(all: readonly (readonly DiceSum[])[]): readonly DiceSum[] {
  return all
    .filter(({ length }) => length > 0)
    .reduce((a, b) => a.map(({ dice, cases }, label) => ({ dice: dice + b[label]!.dice, cases: cases + b[label]!.cases })));
}

function empty(sentence: string): VoxError {
  return sharedError(new VoxError(sentence, { code: "ERR_EMPTY", where: "validation" }));
}
