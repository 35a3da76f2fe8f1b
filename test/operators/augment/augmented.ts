import { axisAligned } from "../../../src/core/geometry.js";
import { Random } from "../../../src/core/random.js";
import type { RunContext } from "../../../src/core/run-context.js";
import type { HistoryEntry, Sample } from "../../../src/core/sample.js";
import type { Shape4, Triple } from "../../../src/core/shape.js";
import { Volume } from "../../../src/core/volume.js";
import { type AugmentOptions, augment } from "../../../src/operators/index.js";
import { source } from "../../../src/streams/index.js";
import type { AugmentParams, SpatialChange } from "../../../src/workers/steps/augment-step.js";
import type { IntensityChange } from "../../../src/workers/steps/change-intensity.js";
import { collect, contextOf } from "../run-graph.js";

export const OFF = {
  rotation: false,
  scaling: false,
  contrast: false,
  brightness: false,
  gamma: false,
  noise: false,
} as const satisfies AugmentOptions;

export const INTENSITY = ["contrast", "brightness", "additiveBrightness", "gamma", "invertedGamma", "noise", "blur", "lowResolution"] as const;

/** Each spatial technique with options that move something in a small image. */
export const SPATIAL = {
  mirror: { probability: 1 },
  rotation: { degrees: 60 },
  scaling: { range: [0.5, 0.7], independent: 1 },
  translation: { share: 0.4 },
  elastic: { alpha: [40, 50], sigma: [2, 2.5] },
} as const satisfies AugmentOptions;

/** A sample outside the pool: noise in 1..2, labels 0..2. */
export function noisy(id: string, shape: Shape4 = [8, 12, 10, 1], spacing: Triple = [1, 1, 1]): Sample {
  const random = new Random("augment", id);
  const image = Float32Array.from({ length: shape[0] * shape[1] * shape[2] * shape[3] }, () => random.uniform(1, 2));
  const label = Uint8Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.integer(0, 2));
  const geometry = axisAligned(spacing);
  return {
    id,
    epoch: 0,
    image: Volume.of("float32", shape, image, geometry),
    label: Volume.of("uint8", [shape[0], shape[1], shape[2], 1], label, geometry),
    history: [],
  };
}

export interface Seen {
  readonly id: string;
  readonly image: Float32Array;
  readonly label: Uint8Array;
  readonly shape: Shape4;
  readonly history: readonly HistoryEntry[];
  /** What `augment` drew; undefined when nothing struck. */
  readonly params: AugmentParams | undefined;
}

/** A copy of what a sample holds while it is alive. */
export function look({ id, image, label, history }: Sample): Seen {
  const last = history.at(-1);
  return {
    id,
    image: (image as Volume<"float32">).data.slice(),
    label: (label as Volume<"uint8">).data.slice(),
    shape: image.shape,
    history,
    params: last?.operator === "augment" ? (last.params as unknown as AugmentParams) : undefined,
  };
}

export function augmented(samples: readonly Sample[], options: AugmentOptions, context: Partial<RunContext> = {}): Promise<Seen[]> {
  return collect(source("samples", samples.length, (index) => samples[index]!).pipe(augment(options)), contextOf(context), look);
}

export const dataOf = (sample: Sample) => [(sample.image as Volume<"float32">).data, (sample.label as Volume<"uint8">).data] as const;

/** The change of one technique among what was drawn. */
export function changeOf<T extends IntensityChange["technique"]>(params: AugmentParams | undefined, technique: T) {
  return params?.intensity?.find((change) => change.technique === technique) as Extract<IntensityChange, { technique: T }> | undefined;
}

export const STILL: SpatialChange = { angles: [0, 0, 0], scale: [1, 1, 1], shift: [0, 0, 0], order: 3, labelOrder: 0 };
