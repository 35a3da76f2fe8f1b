import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import type { Sample } from "../../core/sample.js";
import type { Triple } from "../../core/shape.js";
import type { AugmentParams } from "../../workers/steps/augment-step.js";
import { transform } from "../transform.js";
import { type AugmentPlan, drawAugment } from "./draw-augment.js";

type Range = readonly [low: number, high: number];

interface Technique {
  /** How likely it strikes, for one sample. Default: `probability` of the operator. */
  readonly probability?: number;
}

export interface AugmentOptions {
  /** Of every technique that does not say otherwise, each on its own. Default 0.15. */
  readonly probability?: number;
  /** Reverses axes, each with a probability of 0.5 unless given. Default false. */
  readonly mirror?: boolean | (Technique & { readonly axes?: readonly ("depth" | "height" | "width")[] });
  /** Turns by up to so many degrees about the depth, height and width axis; planar images about the depth axis only. Default 15. */
  readonly rotation?: boolean | (Technique & { readonly degrees?: number | Triple });
  /** Zooms by 1/k with k in `range`, below and above 1 equally often. Default [0.85, 1.25]. */
  readonly scaling?: boolean | (Technique & { readonly range?: Range });
  /** Displaces voxels by smoothed noise: factor α and Gaussian deviation σ in voxels, each drawn from its range. Default false; α in [0, 900], σ in [9, 13]. */
  readonly elastic?: boolean | (Technique & { readonly alpha?: Range; readonly sigma?: Range });
  /** Stretches around the mean; factors below and above 1 equally often; the old range stays. Default [0.3, 3]. */
  readonly contrast?: boolean | (Technique & { readonly range?: Range });
  /** Multiplies. Default [0.5, 2]. */
  readonly brightness?: boolean | (Technique & { readonly range?: Range });
  /** Gamma curve over the channel's range; exponents below and above 1 equally often; mean and deviation stay. Default [0.7, 1.5]. */
  readonly gamma?: boolean | (Technique & { readonly range?: Range });
  /** Adds Gaussian noise with a standard deviation drawn from the range. Default [0, 0.05]. */
  readonly noise?: boolean | (Technique & { readonly deviation?: Range });
  /** Draws contrast, brightness and gamma for each channel on its own. Default true. */
  readonly perChannel?: boolean;
  /** Interpolation of the image for rotation, scaling and elastic deformation. Default 3. */
  readonly order?: 0 | 1 | 3;
  /** Interpolation of the labels: 0 nearest, 1 linear majority. Default 0. */
  readonly labelOrder?: 0 | 1;
  /** Whether the label map goes along; false for tasks whose label does not move with the image. Default true. */
  readonly labels?: boolean;
}

/**
 * Changes training samples at random: mirror, then rotation, scaling and elastic deformation in one interpolation, then contrast, brightness, gamma and
 * Gaussian noise. Defaults are MIScnn's; the formulas are their corrected forms (out-of-image voxels become background and not an empty one-hot vector,
 * centers lie on half voxels, gamma keeps mean and deviation together). Rotation happens in mm, so anisotropic voxels turn without shear.
 * In validation and prediction samples pass unchanged. After `patch({ margin })` the corners that rotation turns in come from the case.
 *
 * @shape image (D, H, W, C) → same, less the patch's margin
 * @units intensities as they come; noise deviation in their units
 * @label goes along with mirror and spatial changes; background from outside
 * @throws `ERR_OPTION` when a probability is not in 0..1 or a range is not ascending and valid
 * @source MIScnn 1.4 and batchgenerators (parameters and order)
 * @example
 * patches.pipe(augment({ mirror: true, elastic: { alpha: [0, 200] } }))
 */
export function augment(options: AugmentOptions = {}): OperatorFunction<Sample, Sample> {
  const plan = planOf(options);
  // Options are plain data, so they are JSON.
  return transform({
    name: "augment",
    params: plan as unknown as Json,
    draw: (random, subject) => drawAugment(plan, random, subject) as AugmentParams as unknown as Json,
  });
}

function planOf(options: AugmentOptions): AugmentPlan {
  const { probability = 0.15, perChannel = true, order = 3, labelOrder = 0, labels = true } = options;
  const chance = (name: string, value: number) => {
    requireOption(value >= 0 && value <= 1, "augment", name, "in 0..1", value);
    return value;
  };
  chance("probability", probability);
  requireOption([0, 1, 3].includes(order), "augment", "order", "0, 1 or 3", order);
  requireOption([0, 1].includes(labelOrder), "augment", "labelOrder", "0 or 1", labelOrder);
  requireOption(typeof labels === "boolean", "augment", "labels", "true or false", labels);
  requireOption(typeof perChannel === "boolean", "augment", "perChannel", "true or false", perChannel);

  /** A technique's own options, or undefined when it is off. */
  function on<T extends Technique>(name: string, given: boolean | T | undefined, byDefault: boolean): (T & { probability: number }) | undefined {
    const chosen = given ?? byDefault;
    if (chosen === false) return undefined;
    const own = chosen === true ? ({} as T) : chosen;
    requireOption(typeof own === "object" && own !== null, "augment", name, "true, false or options", given);
    return { ...own, probability: chance(`${name}.probability`, own.probability ?? (name === "mirror" ? 0.5 : probability)) };
  }
  const range = (name: string, [low, high]: Range, least: number, isOpen = true): Range => {
    const isRange = Number.isFinite(low) && Number.isFinite(high) && low <= high && (isOpen ? low > least : low >= least);
    requireOption(isRange, "augment", name, `two ascending numbers ${isOpen ? ">" : ">="} ${least}`, [low, high]);
    return [low, high];
  };

  const mirror = on("mirror", options.mirror, false);
  const axes = mirror?.axes ?? ["depth", "height", "width"];
  const isAxes = axes.length > 0 && axes.every((axis) => ["depth", "height", "width"].includes(axis));
  requireOption(isAxes, "augment", "mirror.axes", 'some of "depth", "height", "width"', axes);
  const rotation = on("rotation", options.rotation, true);
  const degrees = rotation?.degrees ?? 15;
  const angles: Triple = typeof degrees === "number" ? [degrees, degrees, degrees] : degrees;
  const isAngles = angles.length === 3 && angles.every((angle) => angle >= 0 && angle <= 180);
  requireOption(isAngles, "augment", "rotation.degrees", "one number or three in 0..180", degrees);
  const scaling = on("scaling", options.scaling, true);
  const elastic = on("elastic", options.elastic, false);
  const contrast = on("contrast", options.contrast, true);
  const brightness = on("brightness", options.brightness, true);
  const gamma = on("gamma", options.gamma, true);
  const noise = on("noise", options.noise, true);
  const intensity = (name: string, technique: (Technique & { readonly range?: Range; probability: number }) | undefined, byDefault: Range) =>
    technique && { probability: technique.probability, range: range(`${name}.range`, technique.range ?? byDefault, 0) };
  return {
    ...(mirror && { mirror: { probability: mirror.probability, axes: [axes.includes("depth"), axes.includes("height"), axes.includes("width")] } }),
    ...(rotation && { rotation: { probability: rotation.probability, degrees: angles } }),
    ...(scaling && { scaling: { probability: scaling.probability, range: range("scaling.range", scaling.range ?? [0.85, 1.25], 0) } }),
    ...(elastic && {
      elastic: {
        probability: elastic.probability,
        alpha: range("elastic.alpha", elastic.alpha ?? [0, 900], 0, false),
        sigma: range("elastic.sigma", elastic.sigma ?? [9, 13], 0),
      },
    }),
    ...(contrast && { contrast: intensity("contrast", contrast, [0.3, 3])! }),
    ...(brightness && { brightness: intensity("brightness", brightness, [0.5, 2])! }),
    ...(gamma && { gamma: intensity("gamma", gamma, [0.7, 1.5])! }),
    ...(noise && { noise: { probability: noise.probability, deviation: range("noise.deviation", noise.deviation ?? [0, 0.05], 0, false) } }),
    perChannel,
    order,
    labelOrder,
    labels,
  };
}
