import type * as tfl from "@tensorflow/tfjs-layers";
import { requireOption, VoxError } from "../core/errors.js";
import type { PlaneName } from "../core/plane-name.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Sample } from "../core/sample.js";
import type { Triple } from "../core/shape.js";
import type { PreprocessingStep } from "../training/bundle/bundle-description.js";
import type { LoadedBundle } from "../training/bundle/load-bundle.js";
import type { Prediction } from "./prediction.js";
import { type PredictCaseOptions, type PredictorOptions, predictor, rawPredictor } from "./predictor.js";
import { ScoreMerge } from "./score-merge.js";

export interface EnsemblePredictorOptions
  extends Pick<PredictorOptions, "overlap" | "weighting" | "batchSize" | "flips" | "rotations" | "patch" | "keepProbabilities"> {
  readonly bundles: readonly LoadedBundle[];
  /** How networks are brought together: by the mean of their probabilities, or by one vote each. */
  readonly mode?: "mean" | "vote";
  /** Slices that 2D networks see; of several planes all are predicted, and brought together as networks are. */
  readonly planes?: readonly PlaneName[];
}

export interface EnsemblePredictor {
  /** Kinds of preprocessing; a case must come in each. */
  readonly preprocessings: readonly (readonly PreprocessingStep[])[];
  /** Predicts one case, given in all kinds. */
  readonly predict: (samples: readonly Sample[], options?: PredictCaseOptions) => Promise<Prediction>;
}

/** Networks that see the same windows of the same image. */
interface View {
  readonly kind: number;
  readonly models: readonly tfl.LayersModel[];
  readonly patch: Triple | "full";
  readonly plane: PlaneName;
  /** Of each of the networks. */
  readonly weight: number;
}

function isFlat(model: tfl.LayersModel): boolean {
  return model.inputs[0]!.shape.length === 4;
}

/**
 * Predicts cases with one bundle or several: folds of a cross-validation, or different networks with different preprocessing.
 *
 * Networks with the same preprocessing and patch are averaged window by window, which takes no more memory than one. Others are averaged class by class on
 * the grid that was loaded.
 *
 * @label ties go to the lowest class
 * @throws `ERR_BUNDLE` when classes or channels differ; `ERR_MODEL` when a patch or a plane does not fit; `ERR_OPTION`
 * @example
 * const { preprocessings, predict } = ensemblePredictor({ bundles: [await loadBundle(a), await loadBundle(b)] });
 */
export function ensemblePredictor({
  bundles,
  mode = "mean",
  planes = ["axial"],
  patch: wanted,
  keepProbabilities = false,
  ...window
}: EnsemblePredictorOptions): EnsemblePredictor {
  requireKnownOptions("ensemblePredictor", window, [
    "bundles",
    "mode",
    "planes",
    "overlap",
    "weighting",
    "batchSize",
    "flips",
    "rotations",
    "patch",
    "keepProbabilities",
  ]);
  requireOption(mode === "mean" || mode === "vote", "predict", "ensemble", '"mean" or "vote"', mode);
  requireOption(planes.length > 0 && new Set(planes).size === planes.length, "predict", "planes", "one plane or more, each once", planes);
  const first = bundles[0]?.description;
  requireOption(first !== undefined, "predict", "bundle", "at least one", bundles.length);
  for (const { description } of bundles) {
    for (const field of ["classes", "channels"] as const) {
      if (String(description[field]) === String(first[field])) continue;
      throw new VoxError(
        `bundles that predict together must have the same ${field}, got ${String(first[field])} (${first.model.name}) and ${String(description[field])} (${description.model.name})`,
        { code: "ERR_BUNDLE", where: "predict" },
      );
    }
  }
  const keys = [...new Set(bundles.map(({ description }) => JSON.stringify(description.preprocessing)))];
  const hasFlat = bundles.some(({ model }) => isFlat(model));
  // Of networks of both kinds only those in 2D have planes; without any, asking for one is a mistake that the predictor names.
  const planesOf = (model: tfl.LayersModel): readonly PlaneName[] => (isFlat(model) || !hasFlat ? planes : ["axial"]);
  const views: View[] = [];
  for (const { model, description } of bundles) {
    const kind = keys.indexOf(JSON.stringify(description.preprocessing));
    const patch = wanted ?? description.patch;
    for (const plane of planesOf(model)) {
      const alike = views.findIndex(
        (view) =>
          mode === "mean" &&
          view.kind === kind &&
          view.plane === plane &&
          String(view.patch) === String(patch) &&
          String(view.models[0]!.inputs[0]!.shape) === String(model.inputs[0]!.shape),
      );
      // A network counts once, in however many planes it is asked.
      const weight = 1 / planesOf(model).length;
      if (alike < 0) views.push({ kind, models: [model], patch, plane, weight });
      else views[alike] = { ...views[alike]!, models: [...views[alike]!.models, model] };
    }
  }
  const preprocessings = keys.map((key) => JSON.parse(key) as PreprocessingStep[]);
  const optionsOf = ({ models, patch, plane }: View): PredictorOptions => ({ ...window, model: models, patch, plane });
  if (views.length === 1) {
    const predict = predictor({ ...optionsOf(views[0]!), keepProbabilities });
    return { preprocessings, predict: (samples, options) => predict(samples[0]!, options) };
  }
  const predictors = views.map((view) => ({ ...view, ...rawPredictor({ ...optionsOf(view), keepProbabilities: mode === "mean" }) }));
  const predict = async (samples: readonly Sample[], { onPatch, signal }: PredictCaseOptions = {}): Promise<Prediction> => {
    const merge = new ScoreMerge({ classes: first.classes.length, mode, keepProbabilities });
    for (const [at, view] of predictors.entries()) {
      const sample = samples[view.kind]!;
      const raw = await view.predict(sample, {
        // Views count alike: how many windows the later ones have is not known yet.
        ...(onPatch && { onPatch: (done: number, total: number) => onPatch(at * total + done, views.length * total) }),
        ...(signal && { signal }),
      });
      merge.add(raw, sample.history, view.models.length * view.weight);
    }
    return merge.finish();
  };
  return { preprocessings, predict };
}
