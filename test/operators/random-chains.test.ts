import type { OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import type { Affine } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { RunContext } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import { elementCount, type Shape4, spatial, type Triple } from "../../src/core/shape.js";
import type { Volume } from "../../src/core/volume.js";
import { undoPreprocessing } from "../../src/inference/undo-preprocessing.js";
import {
  augment,
  cases,
  clip,
  cropForeground,
  load,
  normalize,
  orient,
  pad,
  patch,
  replay,
  resample,
  rescaleHU,
  resize,
  windowLevel,
} from "../../src/operators/index.js";
import { collect, contextOf, refsOf } from "./run-graph.js";

/** `VOXSTREAM_CHAINS=500` tries more, `VOXSTREAM_CHAINS_FROM=500` others. */
const CHAINS = Number(process.env.VOXSTREAM_CHAINS ?? 24);
const FROM = Number(process.env.VOXSTREAM_CHAINS_FROM ?? 0);

type Step = () => OperatorFunction<Sample, Sample>;

interface Seen {
  readonly shape: Shape4;
  readonly image: Float32Array;
  readonly label: Uint8Array | undefined;
  readonly history: Sample["history"];
}

const see = ({ image, label, history }: Sample): Seen => ({
  shape: image.shape,
  image: (image as Volume<"float32">).data.slice(),
  label: (label as Volume<"uint8"> | undefined)?.data.slice(),
  history,
});

/** A tilted grid with axes in any order and direction, and voxels that may be ten times as thick as wide. */
function affineOf(random: Random): Affine {
  const tilt = random.chance(0.5) ? random.uniform(-0.7, 0.7) : 0;
  const [c, s] = [Math.cos(tilt), Math.sin(tilt)];
  const order = random.shuffle([0, 1, 2]);
  const size = [random.uniform(0.3, 2), random.uniform(0.3, 2), random.uniform(0.3, 12)].map((extent) => (random.chance(0.5) ? extent : -extent));
  const rows = [
    [c, -s, 0],
    [s, c, 0],
    [0, 0, 1],
  ];
  return [...rows.flatMap((row) => [...order.map((k, axis) => row[k]! * size[axis]!), random.uniform(-50, 50)]), 0, 0, 0, 1] as unknown as Affine;
}

/** Arrays of a reader: extents down to one voxel, one to three channels, noise or nothing but one value. */
function dataOf(random: Random): DataSet & { readonly shape: Shape4 } {
  const extent = (): number => (random.chance(0.2) ? 1 : random.integer(1, 12));
  const shape: Shape4 = [extent(), extent(), extent(), random.integer(1, 3)];
  const isFlat = random.chance(0.15);
  const scale = random.chance(0.1) ? 1e-30 : 100;
  const data = Float32Array.from({ length: elementCount(shape) }, () => (isFlat ? -3 : scale * random.normal()));
  const label = Uint8Array.from({ length: elementCount(spatial(shape)) }, () => (random.chance(0.7) ? 0 : random.integer(1, 2)));
  const affine = affineOf(random);
  return {
    shape,
    classes: ["background", "organ", "lesion"],
    channels: shape[3],
    list: async () => refsOf(2),
    read: async () => ({
      image: { data: data.slice(), shape, affine },
      label: { data: label.slice(), shape: [shape[0], shape[1], shape[2], 1] },
    }),
  };
}

const anySize = (random: Random): Triple => [random.integer(1, 16), random.integer(1, 16), random.integer(1, 16)];
const one = <const T>(random: Random, ...choices: readonly T[]): T => choices[random.integer(0, choices.length - 1)]!;

/** Preprocessing of one sample, with options at their limits. */
const STEPS: readonly ((random: Random) => Step)[] = [
  (random) => {
    const [min, max] = [one(random, -200, -1e30), one(random, 100, 3e38)];
    return () => clip({ min, max });
  },
  (random) => {
    const options = one(
      random,
      { mode: one(random, "z-score", "min-max", "grayscale", "percentile"), perChannel: random.chance(0.5) } as const,
      { foreground: { above: one(random, 0, 1e9, -1e9), outside: -1 } } as const,
      { mode: "percentile", percentiles: one(random, [0, 100], [49, 51], [0, 0.001]) } as const,
    );
    return () => normalize(options as Parameters<typeof normalize>[0]);
  },
  (random) => {
    const spacing = [0, 1, 2].map(() => (random.chance(0.1) ? 100 : random.uniform(0.4, 4))) as unknown as Triple;
    const [order, labelOrder] = [one(random, 0, 1, 3), one(random, 0, 1)];
    return () => resample({ spacing, order, labelOrder });
  },
  (random) => {
    const [size, order, labelOrder] = [anySize(random), one(random, 0, 1, 3), one(random, 0, 1)];
    return () => resize({ size, order, labelOrder });
  },
  (random) => {
    const [minSize, divisor, mode] = [
      anySize(random),
      one<number | Triple>(random, 1, 7, [1, 16, 3]),
      one(random, "constant", "edge", "reflect", "minimum"),
    ];
    return () => pad({ minSize, divisor, mode });
  },
  (random) => {
    const [above, margin] = [one<"minimum" | number>(random, "minimum", 0, 50, 1e30), one<number | Triple>(random, 0, 100, [0, 3, 1])];
    return () => cropForeground({ above, margin });
  },
  (random) => {
    const axes = random
      .shuffle(["RL", "AP", "SI"])
      .map((pair) => pair[random.integer(0, 1)])
      .join("");
    return () => orient({ axes });
  },
  (random) => {
    const slope = one(random, 1, -2);
    return () => rescaleHU({ slope, intercept: 0 });
  },
  () => () => windowLevel({ level: 40, width: 1e-3 }),
];

/** What strikes each sample at random, all at once or as nnU-Net has it. */
function augmentation(random: Random): Step {
  const wide = {
    scaling: { range: [0.1, 10], independent: 1 },
    rotation: { degrees: 180 },
    translation: { share: 1 },
    elastic: { alpha: [0, 900], sigma: [0.5, 13] },
  } as const;
  const values = {
    contrast: true,
    brightness: true,
    additiveBrightness: true,
    gamma: true,
    invertedGamma: true,
    noise: true,
    blur: { sigma: [0.01, 6] },
  } as const;
  const [order, inPlane] = [one(random, 0, 1, 3), one<boolean | "auto">(random, true, false, "auto")];
  const lowResolution = { zoom: [0.02, 1], perAxis: true } as const;
  return one<Step>(
    random,
    () => augment({ preset: "nnunet", probability: 1 }),
    () => augment({ probability: 1, mirror: true, ...wide, ...values, lowResolution, order, inPlane }),
  );
}

function through(data: DataSet, steps: readonly Step[], context: RunContext): Promise<Seen[]> {
  const flow = cases(data, { refs: refsOf(2), order: "sorted" }).pipe(load());
  return collect(
    steps.reduce((before, step) => before.pipe(step()), flow),
    context,
    see,
  );
}

const seeds = Array.from({ length: CHAINS }, (_, k) => FROM + k);

describe("a random chain of operators on a reader's arrays", () => {
  it.each(seeds)("gives what it promises, twice the same, and predictions come back on the grid that was loaded (seed %i)", async (seed) => {
    const random = new Random("random chains", seed);
    const data = dataOf(random);
    const steps = Array.from({ length: random.integer(0, 5) }, () => one(random, ...STEPS)(random));
    const size = anySize(random);
    const cut: Step | undefined = random.chance(0.7) ? () => patch({ size, perCase: 2, foreground: 0.5 }) : undefined;
    const changed = random.chance(0.7) ? [augmentation(random)] : [];
    const chain = [...steps, ...(cut ? [cut] : []), ...changed];

    const training = contextOf({ seed });
    const samples = await through(data, chain, training);
    expect(samples).toHaveLength(cut ? 4 : 2);
    for (const { shape, image, label } of samples) {
      if (cut) expect(spatial(shape)).toEqual(size);
      expect(image.every(Number.isFinite)).toBe(true);
      expect(label).toHaveLength(elementCount(spatial(shape)));
      expect(label!.every((value) => value <= 2)).toBe(true);
    }
    expect(training.pool.bytesInUse).toBe(0);
    expect(await through(data, chain, contextOf({ seed }))).toEqual(samples);
    if (!cut) expect((await through(data, [() => replay(samples[0]!.history)], contextOf({ seed })))[0]).toEqual(samples[0]);

    const predicting = contextOf({ seed, mode: "prediction" });
    for (const { shape, image, label, history } of await through(data, steps, predicting)) {
      expect([image.every(Number.isFinite), label]).toEqual([true, undefined]);
      const voxels = elementCount(spatial(shape));
      const labels = Uint8Array.from({ length: voxels }, (_, i) => i % 3);
      const probabilities = Float32Array.from({ length: 3 * voxels }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0));
      const back = undoPreprocessing({ labels, probabilities, shape: spatial(shape), classes: 3, history });
      // `load` turned the arrays: the same extents, in an order of its own.
      expect(back.labels).toHaveLength(elementCount(spatial(data.shape)));
      expect([...back.shape].sort()).toEqual([...spatial(data.shape)].sort());
      const sums = Float32Array.from(back.labels, (_, v) => back.probabilities!.subarray(3 * v, 3 * v + 3).reduce((a, b) => a + b));
      expect(sums.every((sum) => Math.abs(sum - 1) < 1e-4)).toBe(true);
    }
    expect(predicting.pool.bytesInUse).toBe(0);
  });
});
