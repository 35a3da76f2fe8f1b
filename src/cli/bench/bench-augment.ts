import { axisAligned } from "../../core/geometry.js";
import { hashKey, Random } from "../../core/random.js";
import { formatShape, type Shape4, type Triple } from "../../core/shape.js";
import { gaussianFilter } from "../../kernels/gaussian-filter/gaussian-filter.js";
import { type AugmentParams, augmentStep } from "../../workers/steps/augment-step.js";
import type { SampleLayout } from "../../workers/steps/step.js";
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
const contrast: Draw = (random) => ({ contrast: [eitherSide(random, 0.3, 3)] });
const brightness: Draw = (random) => ({ brightness: [random.uniform(0.5, 2)] });
const gamma: Draw = (random) => ({ gamma: [eitherSide(random, 0.7, 1.5)] });
const noise: Draw = (random) => ({ noise: { sigma: [random.uniform(0, 0.05)], key: key(random) } });
const elasticField = (random: Random) => ({ alpha: random.uniform(0, 900), sigma: random.uniform(9, 13), key: key(random) });
const still = { angles: [0, 0, 0], scale: 1, order: 3, labelOrder: 0 } as const;
const elastic: Draw = (random) => ({ spatial: { ...still, elastic: elasticField(random) } });
const turned = (random: Random) => ({
  ...still,
  angles: [angle(random), angle(random), angle(random)] as Triple,
  scale: eitherSide(random, 0.85, 1.25),
});
const rotationScale: Draw = (random) => ({ spatial: turned(random) });
const full =
  (order: 1 | 3): Draw =>
  (random) => ({
    ...mirror(random),
    ...contrast(random),
    ...brightness(random),
    ...gamma(random),
    ...noise(random),
    spatial: { ...turned(random), elastic: elasticField(random), order },
  });

const TECHNIQUES: Readonly<Record<string, Draw>> = {
  full: full(3),
  "full-linear": full(1),
  mirror,
  contrast,
  brightness,
  gamma,
  noise,
  "rotation-scale": rotationScale,
  elastic,
};

/** The augmentation step on image and label of a patch, every technique struck, parameters drawn anew for each run: MIScnn's ranges. */
export async function benchAugment({ shape, runs }: BenchOptions): Promise<readonly BenchResult[]> {
  const results: BenchResult[] = [];
  for (const size of shape ? [benchShape(shape, SIZES[0]!)] : SIZES) {
    const phantom = benchPhantom(size);
    for (const [name, draw] of Object.entries(TECHNIQUES)) results.push(await timeTechnique(name, size, phantom, draw, runs));
    results.push(await timeBlur(size, phantom, runs));
  }
  return results;
}

async function timeTechnique(name: string, size: Triple, { image, label }: BenchPhantom, draw: Draw, runs: number): Promise<BenchResult> {
  const random = new Random("bench", name);
  const shape: Shape4 = [...size, 1];
  const grid = { shape, geometry: axisAligned() };
  const before: SampleLayout = { image: { ...grid, dtype: "float32" }, label: { ...grid, dtype: "uint8" } };
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

function timeBlur(size: Triple, { image }: BenchPhantom, runs: number): Promise<BenchResult> {
  const random = new Random("bench", "blur");
  const output = new Float32Array(image.length);
  const work = () => {
    const sigma = random.uniform(0.5, 1);
    gaussianFilter(image, [...size, 1], output, { sigma: [sigma, sigma, sigma] });
  };
  return measure(`augment/${formatShape(size)}/blur`, formatShape(size), runs, work, () => undefined);
}
