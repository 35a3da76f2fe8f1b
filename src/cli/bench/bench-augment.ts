import { isMainThread } from "node:worker_threads";
import { axisAligned } from "../../core/geometry.js";
import type { Json } from "../../core/json.js";
import { hashKey, Random } from "../../core/random.js";
import { formatShape, type Shape4, type Triple } from "../../core/shape.js";
import { createTaskPool } from "../../workers/create-task-pool.js";
import { type AugmentParams, augmentStep } from "../../workers/steps/augment-step.js";
import type { IntensityChange } from "../../workers/steps/change-intensity.js";
import type { SampleLayout } from "../../workers/steps/step.js";
import type { RunStepsPayload } from "../../workers/tasks/run-steps.js";
import { type BenchPhantom, benchPhantom } from "./bench-phantom.js";
import type { BenchOptions, BenchResult } from "./bench-result.js";
import { benchShape } from "./bench-shape.js";
import { measure } from "./measure.js";

const SIZES: readonly Triple[] = [
  [80, 160, 160],
  [64, 64, 64],
];

type Draw = (random: Random) => Omit<AugmentParams, "labels">;

const fifteenDegrees = Math.PI / 12;
const angle = (random: Random) => random.uniform(-fifteenDegrees, fifteenDegrees);
const eitherSide = (random: Random, low: number, high: number) => (random.chance(0.5) ? random.uniform(low, 1) : random.uniform(1, high));
const key = (random: Random) => hashKey([random.uint32()]);

const mirror: Draw = (random) => ({ mirror: [random.chance(0.5), random.chance(0.5), random.chance(0.5)] });
type Change = (random: Random) => IntensityChange;
const contrast: Change = (random) => ({ technique: "contrast", factor: [eitherSide(random, 0.3, 3)], preserveRange: true });
const brightness: Change = (random) => ({ technique: "brightness", factor: [random.uniform(0.5, 2)] });
const gamma: Change = (random) => ({ technique: "gamma", gamma: [eitherSide(random, 0.7, 1.5)], retainStatistics: true });
const noise: Change = (random) => ({ technique: "noise", sigma: [random.uniform(0, 0.05)], key: key(random) });
const blur: Change = (random) => ({ technique: "blur", sigma: [[random.uniform(0.5, 1), random.uniform(0.5, 1), random.uniform(0.5, 1)]] });
const lowResolution: Change = (random) => {
  const zoom = random.uniform(0.5, 1);
  return { technique: "lowResolution", zoom: [[zoom, zoom, zoom]], upOrder: 3 };
};
const only =
  (change: Change): Draw =>
  (random) => ({ intensity: [change(random)] });

const elasticField = (random: Random) => ({ alpha: random.uniform(0, 900), sigma: random.uniform(9, 13), key: key(random), planar: false });
const still = { angles: [0, 0, 0], scale: [1, 1, 1], shift: [0, 0, 0], order: 3, labelOrder: 0 } as const;
const elastic: Draw = (random) => ({ spatial: { ...still, elastic: elasticField(random) } });
const turned = (random: Random) => {
  const scale = eitherSide(random, 0.85, 1.25);
  return { ...still, angles: [angle(random), angle(random), angle(random)] as const, scale: [scale, scale, scale] as const };
};
const rotationScale: Draw = (random) => ({ spatial: turned(random) });
const full =
  (order: 1 | 3): Draw =>
  (random) => ({
    ...mirror(random),
    intensity: [contrast(random), brightness(random), gamma(random), noise(random)],
    spatial: { ...turned(random), elastic: elasticField(random), order },
  });

const TECHNIQUES: Readonly<Record<string, Draw>> = {
  full: full(3),
  "full-linear": full(1),
  mirror,
  contrast: only(contrast),
  brightness: only(brightness),
  gamma: only(gamma),
  noise: only(noise),
  blur: only(blur),
  "low-resolution": only(lowResolution),
  "rotation-scale": rotationScale,
  "rotation-scale-linear": (random) => ({ spatial: { ...turned(random), order: 1 } }),
  elastic,
  "elastic-linear": (random) => ({ spatial: { ...still, elastic: elasticField(random), order: 1 } }),
};

/** The augmentation step on image and label of a patch, every technique struck, parameters drawn anew for each run: MIScnn's ranges. */
export async function benchAugment({ shape, runs }: BenchOptions): Promise<readonly BenchResult[]> {
  const results: BenchResult[] = [];
  for (const size of shape ? [benchShape(shape, SIZES[0]!)] : SIZES) {
    const phantom = benchPhantom(size);
    for (const [name, draw] of Object.entries(TECHNIQUES)) results.push(await timeTechnique(name, size, phantom, draw, runs));
    // With --threads this runs in workers, which have no pool of their own.
    if (isMainThread) for (const workers of [1, 2]) results.push(await timeInPool(workers, size, phantom, runs));
  }
  return results;
}

/** Time per patch when a task pool keeps so many workers busy, as a graph does. */
async function timeInPool(workers: number, size: Triple, { image, label }: BenchPhantom, runs: number): Promise<BenchResult> {
  const random = new Random("bench", "full");
  const tasks = createTaskPool({ threads: workers });
  const before = layoutOf(size);
  const draw = full(3);
  const patches = Array.from({ length: 2 * workers }, () => ({
    input: { image: shared(image, Float32Array), label: shared(label, Uint8Array) },
    output: { image: shared(image, Float32Array), label: shared(label, Uint8Array) },
  }));
  const work = () =>
    Promise.all(
      patches.map(({ input, output }) => {
        const params: AugmentParams = { ...draw(random), labels: true };
        const after = augmentStep.plan(before, params).layout;
        const call = { name: "augment", params: params as unknown as Json, before, after, image: [0, 1], label: [2, 3] } as const;
        return tasks.run("runSteps", { calls: [call], arrays: [input.image, output.image, input.label, output.label] } satisfies RunStepsPayload);
      }),
    );
  try {
    const name = `augment/${formatShape(size)}/full/workers-${workers}`;
    const all = await measure(name, formatShape(size), runs, work, () => undefined);
    return { ...all, medianMs: all.medianMs / patches.length, minMs: all.minMs / patches.length };
  } finally {
    await tasks.destroy();
  }
}

/** A copy that every thread sees. */
function shared<A extends Float32Array | Uint8Array>(from: A, make: new (buffer: SharedArrayBuffer) => A): A {
  const copy = new make(new SharedArrayBuffer(from.byteLength));
  copy.set(from);
  return copy;
}

function layoutOf(size: Triple): SampleLayout {
  const grid = { shape: [...size, 1] as Shape4, geometry: axisAligned() };
  return { image: { ...grid, dtype: "float32" }, label: { ...grid, dtype: "uint8" } };
}

async function timeTechnique(name: string, size: Triple, { image, label }: BenchPhantom, draw: Draw, runs: number): Promise<BenchResult> {
  const random = new Random("bench", name);
  const before = layoutOf(size);
  const [imageOutput, labelOutput] = [new Float32Array(image.length), new Uint8Array(label.length)];
  const work = (input: BenchPhantom) => {
    const params: AugmentParams = { ...draw(random), labels: true };
    const plan = augmentStep.plan(before, params);
    augmentStep.apply({
      params,
      before,
      after: plan.layout,
      image: { input: input.image, output: plan.image === "rewrite" ? input.image : imageOutput },
      ...(plan.label === "make" && { label: { input: input.label, output: labelOutput } }),
      isStopped: () => false,
    });
  };
  return measure(`augment/${formatShape(size)}/${name}`, formatShape(size), runs, work, () => ({ image: image.slice(), label: label.slice() }));
}
