import { describe, requireOption, VoxError } from "../../core/errors.js";
import { nearestName } from "../../core/nearest-name.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Triple } from "../../core/shape.js";
import type { AugmentOptions, Range } from "./augment-options.js";
import { type AugmentPreset, DEFAULTS, type IntensityName, PRESETS, type TechniqueName, type Techniques } from "./augment-presets.js";

/** Of one sample, and then of each of its channels. */
interface Chances {
  readonly probability: number;
  readonly perChannel: boolean;
  readonly channelProbability: number;
}

interface Ranged extends Chances {
  readonly range: Range;
  readonly balanced: boolean;
}

export type IntensityPlan =
  | (Ranged & { readonly technique: "contrast"; readonly preserveRange: boolean })
  | (Ranged & { readonly technique: "brightness" })
  | (Chances & { readonly technique: "additiveBrightness"; readonly mean: number; readonly deviation: number })
  | (Ranged & { readonly technique: "gamma" | "invertedGamma"; readonly retainStatistics: boolean })
  | (Chances & { readonly technique: "noise"; readonly deviation: Range })
  | (Chances & { readonly technique: "blur"; readonly sigma: Range; readonly perAxis: boolean })
  | (Chances & { readonly technique: "lowResolution"; readonly zoom: Range; readonly perAxis: boolean; readonly upOrder: 1 | 3 });

/** The checked options of `augment` as plain JSON; a technique that is off is absent. */
export interface AugmentPlan {
  readonly mirror?: { readonly probability: number; readonly axes: readonly [boolean, boolean, boolean] };
  readonly rotation?: { readonly probability: number; readonly degrees: Triple; readonly planarDegrees: number; readonly axisProbability: number };
  readonly scaling?: { readonly probability: number; readonly range: Range; readonly balanced: boolean; readonly independent: number };
  readonly translation?: { readonly probability: number; readonly share: Triple };
  readonly elastic?: { readonly probability: number; readonly alpha: Range; readonly sigma: Range };
  /** In the order in which they are applied. */
  readonly intensity: readonly IntensityPlan[];
  readonly cycles: number;
  readonly inPlane: boolean | "auto";
  readonly order: 0 | 1 | 3;
  readonly labelOrder: 0 | 1;
  readonly labels: boolean;
}

const COMMON = ["preset", "probability", "cycles", "perChannel", "inPlane", "order", "labelOrder", "labels"] as const;
const SPATIAL = ["rotation", "scaling", "translation", "elastic"] as const;
const CHANNEL_OPTIONS = ["probability", "perChannel", "channelProbability"];

function fail(option: string, rule: string, value: unknown): never {
  throw new VoxError(`${option} must be ${rule}, got ${describe(value)}`, { code: "ERR_OPTION", where: "augment" });
}

const share = (option: string, value: number): number => (value >= 0 && value <= 1 ? value : fail(option, "in 0..1", value));

const flag = (option: string, value: boolean): boolean => (typeof value === "boolean" ? value : fail(option, "true or false", value));

function range(option: string, value: Range, isValid: (low: number, high: number) => boolean, rule: string): Range {
  const isRange = Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] <= value[1] && isValid(value[0], value[1]);
  return isRange ? [value[0], value[1]] : fail(option, `two ascending numbers ${rule}`, value);
}

const positive = (option: string, value: Range) => range(option, value, (low) => low > 0, "> 0");
const notNegative = (option: string, value: Range) => range(option, value, (low) => low >= 0, ">= 0");

function triple(option: string, value: number | Triple, most: number): Triple {
  const all = typeof value === "number" ? ([value, value, value] as const) : value;
  const isTriple = Array.isArray(all) && all.length === 3 && all.every((one) => one >= 0 && one <= most);
  return isTriple ? [all[0]!, all[1]!, all[2]!] : fail(option, `one number or three in 0..${most}`, value);
}

function presetOf(name: string): AugmentPreset {
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name as keyof typeof PRESETS];
  const names = Object.keys(PRESETS);
  const nearest = typeof name === "string" ? nearestName(name, names) : undefined;
  throw new VoxError(`preset must be one of ${names.join(", ")}, got ${describe(name)}${nearest ? `; did you mean ${nearest}?` : ""}`, {
    code: "ERR_OPTION",
    where: "augment",
  });
}

/** @throws `ERR_OPTION` for an option that is outside its rule or not known */
export function augmentPlan(options: AugmentOptions): AugmentPlan {
  const preset = presetOf(options.preset ?? "miscnn");
  const { cycles = 1, perChannel = true, inPlane = preset.inPlane, order = 3, labelOrder = preset.labelOrder, labels = true } = options;
  requireKnownOptions("augment", options, [...COMMON, ...(Object.keys(DEFAULTS) as TechniqueName[])]);
  if (options.probability !== undefined) share("probability", options.probability);
  requireOption(Number.isSafeInteger(cycles) && cycles >= 1, "augment", "cycles", "a whole number >= 1", cycles);
  requireOption([true, false, "auto"].includes(inPlane), "augment", "inPlane", 'true, false or "auto"', inPlane);
  requireOption([0, 1, 3].includes(order), "augment", "order", "0, 1 or 3", order);
  requireOption([0, 1].includes(labelOrder), "augment", "labelOrder", "0 or 1", labelOrder);
  flag("labels", labels);
  flag("perChannel", perChannel);

  /** A technique's options with every field that has a default, or undefined when it is off. */
  function on<K extends TechniqueName>(name: K): (Required<Techniques[K]> & { readonly probability: number }) | undefined {
    const given = options[name] ?? preset.on.includes(name);
    if (given === false) return undefined;
    const own: Techniques[TechniqueName] = given === true ? {} : given;
    requireOption(typeof own === "object" && own !== null && !Array.isArray(own), "augment", name, "true, false or options", given);
    const byDefault: Techniques[TechniqueName] = DEFAULTS[name];
    const byPreset: Techniques[TechniqueName] | undefined = preset.techniques[name];
    const isIntensity = name !== "mirror" && !(SPATIAL as readonly string[]).includes(name);
    const known = ["probability", ...(isIntensity ? CHANNEL_OPTIONS : []), ...Object.keys(byDefault)];
    requireKnownOptions(`augment: ${name}`, own, name === "rotation" ? [...known, "planarDegrees"] : known);
    // A probability for all comes before the preset's, except for mirror, which has one per axis.
    const general = name === "mirror" ? undefined : options.probability;
    const probability = own.probability ?? general ?? byPreset?.probability ?? byDefault.probability ?? preset.probability;
    const filled = { perChannel, channelProbability: 1, ...byDefault, ...byPreset, ...own, probability };
    share(`${name}.probability`, probability);
    if (isIntensity) {
      flag(`${name}.perChannel`, filled.perChannel);
      share(`${name}.channelProbability`, filled.channelProbability);
    }
    // Every field of a technique has a value in DEFAULTS, so all of them are there.
    return filled as unknown as Required<Techniques[K]> & { readonly probability: number };
  }

  return {
    ...spatialPlan(on),
    intensity: preset.sequence.flatMap((name) => intensityPlan(name, on) ?? []),
    cycles,
    inPlane,
    order,
    labelOrder,
    labels,
  };
}

type On = <K extends TechniqueName>(name: K) => (Required<Techniques[K]> & { readonly probability: number }) | undefined;

function spatialPlan(on: On): Pick<AugmentPlan, "mirror" | (typeof SPATIAL)[number]> {
  const [mirror, rotation, scaling, translation, elastic] = [on("mirror"), on("rotation"), on("scaling"), on("translation"), on("elastic")];
  const axes = mirror?.axes ?? ["depth"];
  const isAxes = Array.isArray(axes) && axes.length > 0 && axes.every((axis) => ["depth", "height", "width"].includes(axis));
  requireOption(isAxes, "augment", "mirror.axes", 'some of "depth", "height", "width"', axes);
  const degrees = rotation && triple("rotation.degrees", rotation.degrees, 180);
  return {
    ...(mirror && { mirror: { probability: mirror.probability, axes: [axes.includes("depth"), axes.includes("height"), axes.includes("width")] } }),
    ...(rotation && {
      rotation: {
        probability: rotation.probability,
        degrees: degrees!,
        planarDegrees: triple("rotation.planarDegrees", rotation.planarDegrees ?? degrees![0], 180)[0],
        axisProbability: share("rotation.axisProbability", rotation.axisProbability),
      },
    }),
    ...(scaling && {
      scaling: {
        probability: scaling.probability,
        range: positive("scaling.range", scaling.range),
        balanced: flag("scaling.balanced", scaling.balanced),
        independent: share("scaling.independent", scaling.independent),
      },
    }),
    ...(translation && { translation: { probability: translation.probability, share: triple("translation.share", translation.share, 1) } }),
    ...(elastic && {
      elastic: {
        probability: elastic.probability,
        alpha: notNegative("elastic.alpha", elastic.alpha),
        sigma: positive("elastic.sigma", elastic.sigma),
      },
    }),
  };
}

function intensityPlan(technique: IntensityName, on: On): IntensityPlan | undefined {
  const chances = ({ probability, perChannel, channelProbability }: Chances): Chances => ({ probability, perChannel, channelProbability });
  const ranged = (own: Ranged): Ranged => ({
    ...chances(own),
    range: positive(`${technique}.range`, own.range),
    balanced: flag(`${technique}.balanced`, own.balanced),
  });
  switch (technique) {
    case "contrast": {
      const own = on(technique);
      return own && { technique, ...ranged(own), preserveRange: flag("contrast.preserveRange", own.preserveRange) };
    }
    case "brightness": {
      const own = on(technique);
      return own && { technique, ...ranged(own) };
    }
    case "additiveBrightness": {
      const own = on(technique);
      if (!own) return undefined;
      requireOption(Number.isFinite(own.mean), "augment", "additiveBrightness.mean", "a finite number", own.mean);
      requireOption(Number.isFinite(own.deviation) && own.deviation >= 0, "augment", "additiveBrightness.deviation", ">= 0", own.deviation);
      return { technique, ...chances(own), mean: own.mean, deviation: own.deviation };
    }
    case "gamma":
    case "invertedGamma": {
      const own = on(technique);
      return own && { technique, ...ranged(own), retainStatistics: flag(`${technique}.retainStatistics`, own.retainStatistics) };
    }
    case "noise": {
      const own = on(technique);
      return own && { technique, ...chances(own), deviation: notNegative("noise.deviation", own.deviation) };
    }
    case "blur": {
      const own = on(technique);
      return own && { technique, ...chances(own), sigma: notNegative("blur.sigma", own.sigma), perAxis: flag("blur.perAxis", own.perAxis) };
    }
    case "lowResolution": {
      const own = on(technique);
      if (!own) return undefined;
      const zoom = range("lowResolution.zoom", own.zoom, (low, high) => low > 0 && high <= 1, "in (0, 1]");
      requireOption(own.upOrder === 1 || own.upOrder === 3, "augment", "lowResolution.upOrder", "1 or 3", own.upOrder);
      return { technique, ...chances(own), zoom, perAxis: flag("lowResolution.perAxis", own.perAxis), upOrder: own.upOrder };
    }
    default:
      return technique satisfies never;
  }
}
