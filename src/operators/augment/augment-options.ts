import type { Triple } from "../../core/shape.js";

export type Range = readonly [low: number, high: number];

/** `true` for the defaults, `false` for off, or what differs from them. */
export type Switch<T> = boolean | T;

export interface TechniqueOptions {
  /** How likely it strikes, for one sample. Default: the preset's, or `probability` of the operator where that is given. */
  readonly probability?: number;
}

export interface ChannelTechniqueOptions extends TechniqueOptions {
  /** Whether each channel draws on its own. Default: `perChannel` of the operator; for noise false. */
  readonly perChannel?: boolean;
  /** How likely each channel takes part when the technique strikes. Default 1. */
  readonly channelProbability?: number;
}

export interface RangeOptions extends ChannelTechniqueOptions {
  readonly range?: Range;
  /** Whether values below and above 1 come equally often, however the range lies around 1; false draws evenly over the range. */
  readonly balanced?: boolean;
}

export interface MirrorOptions {
  /** Default all three. */
  readonly axes?: readonly ("depth" | "height" | "width")[];
  /** Of each axis on its own. Default 0.5. */
  readonly probability?: number;
}

export interface RotationOptions extends TechniqueOptions {
  /** Largest angle about the depth, height and width axis, one for all or one each, in 0..180. */
  readonly degrees?: number | Triple;
  /** Largest angle about the depth axis where images turn in their plane only. Default: that of `degrees`. */
  readonly planarDegrees?: number;
  /** How likely each axis takes part. Default 1. */
  readonly axisProbability?: number;
}

export interface ScalingOptions extends TechniqueOptions {
  /** The patch shows k times as much: above 1 zooms out. */
  readonly range?: Range;
  readonly balanced?: boolean;
  /** How likely each axis draws its own k. Default 0. */
  readonly independent?: number;
}

export interface TranslationOptions extends TechniqueOptions {
  /** Largest shift, as a share of the patch's extent, one for all axes or one each; whole voxels are drawn. Default 0.1. */
  readonly share?: number | Triple;
}

export interface ElasticOptions extends TechniqueOptions {
  /** Factor of the smoothed noise. */
  readonly alpha?: Range;
  /** Deviation of the Gaussian that smooths it, in voxels. */
  readonly sigma?: Range;
}

export interface ContrastTechniqueOptions extends RangeOptions {
  /** Clips to the channel's old range. Default true. */
  readonly preserveRange?: boolean;
}

export interface AdditiveBrightnessOptions extends ChannelTechniqueOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Default 0.1. */
  readonly deviation?: number;
}

export interface GammaTechniqueOptions extends RangeOptions {
  /** Gives each channel its old mean and deviation back. Default true. */
  readonly retainStatistics?: boolean;
}

export interface NoiseTechniqueOptions extends ChannelTechniqueOptions {
  /** The standard deviation is drawn from this range. */
  readonly deviation?: Range;
}

export interface BlurOptions extends ChannelTechniqueOptions {
  /** The Gaussian's deviation in voxels is drawn from this range. Default [0.5, 1]. */
  readonly sigma?: Range;
  /** Whether each axis draws on its own. Default true. */
  readonly perAxis?: boolean;
}

export interface LowResolutionTechniqueOptions extends ChannelTechniqueOptions {
  /** Share of the voxels that stay along each axis. Default [0.5, 1]. */
  readonly zoom?: Range;
  /** Whether each axis draws on its own. Default false. */
  readonly perAxis?: boolean;
  /** Interpolation on the way back up: 1 linear, 3 cubic. Default 3. */
  readonly upOrder?: 1 | 3;
}

export interface AugmentOptions {
  /** Where defaults come from: MIScnn 1.4, or nnU-Net v2. Whatever is given beside it takes precedence. Default "miscnn". */
  readonly preset?: "miscnn" | "nnunet";
  /** Of every technique that does not say otherwise, each on its own; mirror has one per axis. Default: the preset's; "miscnn" has 0.15. */
  readonly probability?: number;
  /** Augmented copies of each sample, each with draws of its own. Default 1. */
  readonly cycles?: number;
  /** Reverses axes. Planar images keep their depth. */
  readonly mirror?: Switch<MirrorOptions>;
  /** Turns about the three axes, in mm; planar images about the depth axis only. */
  readonly rotation?: Switch<RotationOptions>;
  /** Zooms. */
  readonly scaling?: Switch<ScalingOptions>;
  /** Takes the patch from beside its place. */
  readonly translation?: Switch<TranslationOptions>;
  /** Displaces voxels by α times noise that is smoothed by a Gaussian. */
  readonly elastic?: Switch<ElasticOptions>;
  /** Stretches around the channel's mean. */
  readonly contrast?: Switch<ContrastTechniqueOptions>;
  /** Multiplies. */
  readonly brightness?: Switch<RangeOptions>;
  /** Adds a number with a normal distribution. */
  readonly additiveBrightness?: Switch<AdditiveBrightnessOptions>;
  /** Gamma curve over the channel's range. */
  readonly gamma?: Switch<GammaTechniqueOptions>;
  /** The same curve for the negative of the image. */
  readonly invertedGamma?: Switch<GammaTechniqueOptions>;
  /** Adds Gaussian noise. */
  readonly noise?: Switch<NoiseTechniqueOptions>;
  /** Smooths with a Gaussian. */
  readonly blur?: Switch<BlurOptions>;
  /** Simulates a coarser scan: fewer voxels, and back again. */
  readonly lowResolution?: Switch<LowResolutionTechniqueOptions>;
  /** Whether intensity techniques draw for each channel on its own. Default true. */
  readonly perChannel?: boolean;
  /** Rotates, scales and coarsens slices in their plane only; "auto": where the patch's longest side is over 3 times its depth. Default: "nnunet" "auto", else false. */
  readonly inPlane?: boolean | "auto";
  /** Interpolation of the image when voxels move. Default 3. */
  readonly order?: 0 | 1 | 3;
  /** Interpolation of the labels: 0 nearest, 1 linear majority. Default: "nnunet" 1, else 0. */
  readonly labelOrder?: 0 | 1;
  /** Whether the label map goes along; false for tasks whose label does not move with the image. Default true. */
  readonly labels?: boolean;
}
