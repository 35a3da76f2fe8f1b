import { hashKey, type Random } from "../../core/random.js";
import type { Triple } from "../../core/shape.js";
import type { AugmentParams } from "../../workers/steps/augment-step.js";
import type { DrawSubject } from "../operator-link.js";

type Range = readonly [number, number];

/** The checked options of `augment`; a technique that is off is absent. */
export interface AugmentPlan {
  readonly mirror?: { readonly probability: number; readonly axes: readonly [boolean, boolean, boolean] };
  readonly rotation?: { readonly probability: number; readonly degrees: Triple };
  readonly scaling?: { readonly probability: number; readonly range: Range };
  readonly elastic?: { readonly probability: number; readonly alpha: Range; readonly sigma: Range };
  readonly contrast?: { readonly probability: number; readonly range: Range };
  readonly brightness?: { readonly probability: number; readonly range: Range };
  readonly gamma?: { readonly probability: number; readonly range: Range };
  readonly noise?: { readonly probability: number; readonly deviation: Range };
  readonly perChannel: boolean;
  readonly order: 0 | 1 | 3;
  readonly labelOrder: 0 | 1;
  readonly labels: boolean;
}

/** What one sample gets; undefined when nothing strikes and there is no margin to trim. */
export function drawAugment(plan: AugmentPlan, random: Random, { layout, mode, sample }: DrawSubject): AugmentParams | undefined {
  const { margin } = sample;
  if (mode !== "training") return undefined;
  const channels = layout.image.shape[3];
  const isPlanar = layout.image.shape[0] === 1;
  /** One value for each channel, or the same for all. */
  const perChannel = (draw: () => number): number[] => {
    if (plan.perChannel) return Array.from({ length: channels }, draw);
    return new Array<number>(channels).fill(draw());
  };
  const key = () => hashKey([random.uint32(), random.uint32(), random.uint32(), random.uint32()]);

  const mirror = plan.mirror && drawMirror(plan.mirror, random, isPlanar);
  const elastic =
    plan.elastic && random.chance(plan.elastic.probability)
      ? { alpha: random.uniform(...plan.elastic.alpha), sigma: random.uniform(...plan.elastic.sigma), key: key() }
      : undefined;
  const angles = plan.rotation && random.chance(plan.rotation.probability) ? drawAngles(plan.rotation.degrees, random, isPlanar) : undefined;
  const scale = plan.scaling && random.chance(plan.scaling.probability) ? eitherSide(random, plan.scaling.range) : undefined;
  const contrast = plan.contrast && random.chance(plan.contrast.probability) ? perChannel(() => eitherSide(random, plan.contrast!.range)) : undefined;
  const brightness =
    plan.brightness && random.chance(plan.brightness.probability) ? perChannel(() => random.uniform(...plan.brightness!.range)) : undefined;
  const gamma = plan.gamma && random.chance(plan.gamma.probability) ? perChannel(() => eitherSide(random, plan.gamma!.range)) : undefined;
  // One deviation for all channels, as MIScnn draws it.
  const noise =
    plan.noise && random.chance(plan.noise.probability)
      ? { sigma: new Array<number>(channels).fill(random.uniform(...plan.noise.deviation)), key: key() }
      : undefined;

  if (!(margin || mirror || elastic || angles || scale !== undefined || contrast || brightness || gamma || noise)) return undefined;
  const isMoved = elastic !== undefined || angles !== undefined || scale !== undefined;
  return {
    ...(margin && { margin }),
    ...(mirror && { mirror }),
    ...(isMoved && {
      spatial: { angles: angles ?? [0, 0, 0], scale: scale ?? 1, ...(elastic && { elastic }), order: plan.order, labelOrder: plan.labelOrder },
    }),
    ...(contrast && { contrast }),
    ...(brightness && { brightness }),
    ...(gamma && { gamma }),
    ...(noise && { noise }),
    labels: plan.labels,
  };
}

function drawMirror({ axes, probability }: NonNullable<AugmentPlan["mirror"]>, random: Random, isPlanar: boolean): AugmentParams["mirror"] {
  const flips = [axes[0] && !isPlanar, axes[1], axes[2]].map((isOn) => isOn && random.chance(probability)) as [boolean, boolean, boolean];
  return flips.some(Boolean) ? flips : undefined;
}

function drawAngles(degrees: Triple, random: Random, isPlanar: boolean): Triple {
  const angle = (axis: 0 | 1 | 2) => random.uniform(-degrees[axis], degrees[axis]) * (Math.PI / 180);
  return isPlanar ? [angle(0), 0, 0] : [angle(0), angle(1), angle(2)];
}

/** Below and above 1 equally often, however the range lies around it; a range on one side of 1 is uniform. */
function eitherSide(random: Random, [low, high]: Range): number {
  if (random.next() < 0.5 && low < 1) return random.uniform(low, Math.min(1, high));
  return random.uniform(Math.min(Math.max(low, 1), high), high);
}
