import { hashKey, Random } from "../../core/random.js";
import type { Triple } from "../../core/shape.js";
import { type AugmentParams, innerSize, type SpatialChange } from "../../workers/steps/augment-step.js";
import type { IntensityChange } from "../../workers/steps/change-intensity.js";
import type { DrawSubject } from "../operator-link.js";
import type { Range } from "./augment-options.js";
import type { AugmentPlan, IntensityPlan } from "./augment-plan.js";

/** Patches with a side this much longer than they are deep count as stacks of slices: nnU-Net's threshold. */
const ANISOTROPY = 3;

/** Every technique has numbers of its own, so that switching one off leaves the others as they are. */
type Stream = (technique: string) => Random;

/** How far a patch is a slice: `isFlat` has one voxel of depth, `isPlanar` stays in its planes. */
interface Extent {
  readonly size: Triple;
  readonly channels: number;
  readonly isFlat: boolean;
  readonly isPlanar: boolean;
}

/** What one sample gets; undefined when nothing strikes and there is no margin to trim. */
export function drawAugment(plan: AugmentPlan, random: Random, { layout, mode, sample }: DrawSubject): AugmentParams | undefined {
  if (mode !== "training") return undefined;
  const { margin } = sample;
  const size = innerSize(layout.image.shape, margin);
  const isFlat = size[0] === 1;
  const isLong = Math.max(...size) > ANISOTROPY * size[0];
  const extent: Extent = {
    size,
    channels: layout.image.shape[3],
    isFlat,
    isPlanar: isFlat || plan.inPlane === true || (plan.inPlane === "auto" && isLong),
  };
  const seed = [random.uint32(), random.uint32(), random.uint32(), random.uint32()];
  const stream: Stream = (technique) => new Random(...seed, technique);

  const mirror = plan.mirror && drawMirror(plan.mirror, stream("mirror"), isFlat);
  const move = drawSpatial(plan, stream, extent);
  const intensity = plan.intensity.flatMap((own) => drawIntensity(own, stream(own.technique), extent) ?? []);
  if (!(margin || mirror || move || intensity.length > 0)) return undefined;
  return {
    ...(margin && { margin }),
    ...(mirror && { mirror }),
    ...(move && { spatial: move }),
    ...(intensity.length > 0 && { intensity }),
    labels: plan.labels,
  };
}

function drawMirror({ axes, probability }: NonNullable<AugmentPlan["mirror"]>, random: Random, isFlat: boolean): AugmentParams["mirror"] {
  const flips = axes.map((isOn, axis) => random.chance(probability) && isOn && !(isFlat && axis === 0)) as [boolean, boolean, boolean];
  return flips.some(Boolean) ? flips : undefined;
}

function drawSpatial(
  { rotation, scaling, translation, elastic, order, labelOrder }: AugmentPlan,
  stream: Stream,
  extent: Extent,
): SpatialChange | undefined {
  const { size, isPlanar } = extent;
  /** Undefined when the technique is off or does not strike. */
  const strike = <T extends { readonly probability: number }, R>(
    name: string,
    own: T | undefined,
    draw: (own: T, random: Random) => R,
  ): R | undefined => {
    if (!own) return undefined;
    const random = stream(name);
    return random.chance(own.probability) ? draw(own, random) : undefined;
  };
  const angles = strike("rotation", rotation, ({ degrees, planarDegrees, axisProbability }, random): Triple => {
    const angle = (most: number) => {
      const drawn = (random.uniform(-most, most) * Math.PI) / 180;
      return random.chance(axisProbability) ? drawn : 0;
    };
    return isPlanar ? [angle(planarDegrees), 0, 0] : [angle(degrees[0]), angle(degrees[1]), angle(degrees[2])];
  });
  const scale = strike("scaling", scaling, ({ range, balanced, independent }, random): Triple => {
    const factor = () => drawRange(random, range, balanced);
    const isIndependent = random.chance(independent);
    const [a, b, c] = [factor(), factor(), factor()];
    return [isPlanar ? 1 : a, isIndependent ? b : a, isIndependent ? c : a];
  });
  const shift = strike("translation", translation, ({ share }, random): Triple => {
    const along = (axis: 0 | 1 | 2) => Math.round(random.uniform(-share[axis], share[axis]) * size[axis]);
    const [a, b, c] = [along(0), along(1), along(2)];
    return [isPlanar ? 0 : a, b, c];
  });
  const field = strike("elastic", elastic, ({ alpha, sigma }, random) => ({
    alpha: random.uniform(...alpha),
    sigma: random.uniform(...sigma),
    key: hashKey([random.uint32(), random.uint32(), random.uint32(), random.uint32()]),
    planar: isPlanar,
  }));
  if (!(angles || scale || shift || field)) return undefined;
  return { angles: angles ?? [0, 0, 0], scale: scale ?? [1, 1, 1], shift: shift ?? [0, 0, 0], ...(field && { elastic: field }), order, labelOrder };
}

function drawIntensity(own: IntensityPlan, random: Random, { channels, isFlat, isPlanar }: Extent): IntensityChange | undefined {
  if (!random.chance(own.probability)) return undefined;
  /** One value for each channel, or the same for all; `neutral` where the channel does not take part. */
  const each = <T>(neutral: T, draw: () => T): T[] => {
    const same = own.perChannel ? undefined : draw();
    return Array.from({ length: channels }, () => {
      const drawn = same ?? draw();
      return random.chance(own.channelProbability) ? drawn : neutral;
    });
  };
  /** One number for all axes, or one each; a side of one voxel keeps `neutral`. */
  const axes = (range: Range, perAxis: boolean, keepsDepth: boolean, neutral: number): Triple => {
    const first = random.uniform(...range);
    const next = () => (perAxis ? random.uniform(...range) : first);
    const [b, c] = [next(), next()];
    return [keepsDepth ? neutral : first, b, c];
  };
  const { technique } = own;
  switch (technique) {
    case "contrast":
      return { technique, factor: each(1, () => drawRange(random, own.range, own.balanced)), preserveRange: own.preserveRange };
    case "brightness":
      return { technique, factor: each(1, () => drawRange(random, own.range, own.balanced)) };
    case "additiveBrightness":
      return { technique, amount: each(0, () => own.mean + own.deviation * random.normal()) };
    case "gamma":
    case "invertedGamma":
      return { technique, gamma: each(1, () => drawRange(random, own.range, own.balanced)), retainStatistics: own.retainStatistics };
    case "noise": {
      const sigma = each(0, () => random.uniform(...own.deviation));
      return { technique, sigma, key: hashKey([random.uint32(), random.uint32(), random.uint32(), random.uint32()]) };
    }
    case "blur":
      return { technique, sigma: each<Triple>([0, 0, 0], () => axes(own.sigma, own.perAxis, isFlat, 0)) };
    case "lowResolution":
      return { technique, zoom: each<Triple>([1, 1, 1], () => axes(own.zoom, own.perAxis, isPlanar, 1)), upOrder: own.upOrder };
    default:
      return own satisfies never;
  }
}

/** Balanced: below and above 1 equally often, however the range lies around it; a range on one side of 1 is uniform. */
function drawRange(random: Random, [low, high]: Range, balanced: boolean): number {
  if (!balanced) return random.uniform(low, high);
  if (random.next() < 0.5 && low < 1) return random.uniform(low, Math.min(1, high));
  return random.uniform(Math.min(Math.max(low, 1), high), high);
}
