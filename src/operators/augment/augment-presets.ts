import type { AugmentOptions } from "./augment-options.js";

type Filled<T> = Exclude<T, boolean | undefined>;

/** Options of every technique, spelled out. */
export type Techniques = {
  readonly [K in Exclude<
    keyof AugmentOptions,
    "preset" | "probability" | "cycles" | "perChannel" | "inPlane" | "order" | "labelOrder" | "labels"
  >]-?: Filled<AugmentOptions[K]>;
};

export type TechniqueName = keyof Techniques;

export type IntensityName = Exclude<TechniqueName, "mirror" | "rotation" | "scaling" | "translation" | "elastic">;

export interface AugmentPreset {
  /** Techniques that are on. */
  readonly on: readonly TechniqueName[];
  readonly probability: number;
  readonly inPlane: boolean | "auto";
  readonly labelOrder: 0 | 1;
  /** The order in which intensity techniques are applied. */
  readonly sequence: readonly IntensityName[];
  /** What differs from the plain defaults. */
  readonly techniques: Partial<Techniques>;
}

/** What a technique does when it is switched on and nothing else is said: MIScnn's ranges, nnU-Net's where MIScnn does not have it. */
export const DEFAULTS: Techniques = {
  mirror: { axes: ["depth", "height", "width"], probability: 0.5 },
  rotation: { degrees: 15, axisProbability: 1 },
  scaling: { range: [0.85, 1.25], balanced: true, independent: 0 },
  translation: { share: 0.1 },
  elastic: { alpha: [0, 900], sigma: [9, 13] },
  contrast: { range: [0.3, 3], balanced: true, preserveRange: true },
  brightness: { range: [0.5, 2], balanced: false },
  additiveBrightness: { mean: 0, deviation: 0.1 },
  gamma: { range: [0.7, 1.5], balanced: true, retainStatistics: true },
  invertedGamma: { range: [0.7, 1.5], balanced: true, retainStatistics: true },
  noise: { deviation: [0, 0.05], perChannel: false },
  blur: { sigma: [0.5, 1], perAxis: true },
  lowResolution: { zoom: [0.5, 1], perAxis: false, upOrder: 3 },
};

export const PRESETS: Readonly<Record<NonNullable<AugmentOptions["preset"]>, AugmentPreset>> = {
  // Mueller and Kramer 2021; defaults of Data_Augmentation in MIScnn 1.4.
  miscnn: {
    on: ["rotation", "scaling", "contrast", "brightness", "gamma", "noise"],
    probability: 0.15,
    inPlane: false,
    labelOrder: 0,
    sequence: ["contrast", "brightness", "additiveBrightness", "gamma", "invertedGamma", "noise", "blur", "lowResolution"],
    techniques: {},
  },
  // Isensee et al. 2021, supplementary note 4; ranges, probabilities and order of nnUNetTrainer.get_training_transforms in nnU-Net 2.5.
  nnunet: {
    on: ["mirror", "rotation", "scaling", "noise", "blur", "brightness", "contrast", "lowResolution", "invertedGamma", "gamma"],
    probability: 0.15,
    inPlane: "auto",
    labelOrder: 1,
    sequence: ["noise", "blur", "brightness", "additiveBrightness", "contrast", "lowResolution", "invertedGamma", "gamma"],
    techniques: {
      rotation: { probability: 0.2, degrees: 30, planarDegrees: 180 },
      scaling: { probability: 0.2, range: [0.7, 1.4], balanced: false },
      noise: { probability: 0.1, deviation: [0, 0.1] },
      blur: { probability: 0.2, channelProbability: 0.5 },
      brightness: { probability: 0.15, range: [0.75, 1.25], balanced: true },
      contrast: { probability: 0.15, range: [0.75, 1.25] },
      lowResolution: { probability: 0.25, channelProbability: 0.5 },
      invertedGamma: { probability: 0.1 },
      gamma: { probability: 0.3 },
    },
  },
};
