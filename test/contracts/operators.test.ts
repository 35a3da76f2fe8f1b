import type { Batch } from "../../src/core/batch.js";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4 } from "../../src/core/shape.js";
import {
  augment,
  batch,
  clip,
  cropForeground,
  mapLabels,
  normalize,
  oneHot,
  orient,
  pad,
  patch,
  prefetch,
  replay,
  resample,
  rescaleHU,
  resize,
  shuffle,
  skipBlank,
  transform,
  windowLevel,
} from "../../src/operators/index.js";
import { inPlacePlan } from "../../src/workers/steps/step.js";
import { operatorContract } from "./operator-contract.js";

const same = (shape: Shape4) => ({ image: shape, label: [...shape.slice(0, 3), 1] });
const one = (n: number) => n;

operatorContract({
  name: "clip",
  make: () => clip({ min: -30, max: 50 }),
  wrongOptions: [() => clip({ min: 1, max: 1 }), () => clip({ min: Number.NaN, max: 1 }), () => clip({ min: 0, max: Number.POSITIVE_INFINITY })],
  count: one,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "normalize",
  make: () => normalize(),
  wrongOptions: [
    () => normalize({ mode: "zscore" as "z-score" }),
    () => normalize({ range: [1, 0] }),
    () => normalize({ perChannel: 1 as unknown as boolean }),
  ],
  count: one,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "resample",
  make: () => resample({ spacing: [1.5, 2, 0.5] }),
  wrongOptions: [
    () => resample({ spacing: [0, 1, 1] }),
    () => resample({ spacing: [1, 1] as unknown as [number, number, number] }),
    () => resample({ spacing: [1, 1, 1], order: 2 as 3 }),
    () => resample({ spacing: [1, 1, 1], labelOrder: 3 as 1 }),
  ],
  count: one,
  shapes: ([d, h, w, c]) => ({ image: [(d * 2) / 1.5, h / 2, w * 2, c], label: [(d * 2) / 1.5, h / 2, w * 2, 1] }),
  replays: true,
});

operatorContract({
  name: "pad",
  make: () => pad({ minSize: [7, 1, 9], divisor: 4, mode: "reflect" }),
  wrongOptions: [
    () => pad({ minSize: [0, 1, 1] }),
    () => pad({ divisor: 1.5 }),
    () => pad({ mode: "wrap" as "edge" }),
    () => pad({ value: Number.NaN }),
    () => pad({ labelValue: -1 }),
  ],
  count: one,
  shapes: ([, , , c]) => ({ image: [8, 12, 12, c], label: [8, 12, 12, 1] }),
  replays: true,
});

operatorContract({
  name: "resize",
  make: () => resize({ size: [3, 8, 8] }),
  wrongOptions: [
    () => resize({ size: [0, 1, 1] }),
    () => resize({ size: [1, 1, 1], order: 2 as 3 }),
    () => resize({ size: [1, 1, 1], labelOrder: 3 as 1 }),
  ],
  count: one,
  shapes: ([, , , c]) => ({ image: [3, 8, 8, c], label: [3, 8, 8, 1] }),
  replays: true,
});

operatorContract({
  name: "orient",
  make: () => orient({ axes: "SLA" }),
  wrongOptions: [() => orient({ axes: "RAR" }), () => orient({ axes: 3 as unknown as string })],
  count: one,
  shapes: ([d, h, w, c]) => ({ image: [h, w, d, c], label: [h, w, d, 1] }),
  replays: true,
});

operatorContract({
  name: "cropForeground",
  make: () => cropForeground({ above: -1e6, margin: 1 }),
  wrongOptions: [
    () => cropForeground({ above: Number.NaN }),
    () => cropForeground({ margin: -1 }),
    () => cropForeground({ margin: [1, 1] as never }),
  ],
  count: one,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "rescaleHU and windowLevel",
  make: () => (source) => source.pipe(rescaleHU(), windowLevel({ level: -300, width: 1400 })),
  wrongOptions: [() => rescaleHU({ slope: 0 }), () => windowLevel({ level: 0, width: -1 })],
  count: one,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "normalize by foreground and percentiles",
  make: () => normalize({ mode: "percentile", percentiles: [5, 95], foreground: { above: 0, outside: 0 } }),
  wrongOptions: [() => normalize({ mode: "percentile", percentiles: [5, 5] }), () => normalize({ mode: "ct" })],
  count: one,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "mapLabels",
  make: () => mapLabels({ map: { 2: 300 } }),
  wrongOptions: [() => mapLabels({ map: {} }), () => mapLabels({ map: { 1: -1 } }), () => mapLabels({ map: { 1: 1 }, others: 0.5 })],
  count: one,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "oneHot",
  make: () => oneHot({ classes: 3 }),
  wrongOptions: [() => oneHot({ classes: 1 }), () => oneHot({ classes: 2.5 })],
  count: one,
  shapes: (shape) => ({ image: shape, label: [...shape.slice(0, 3), 3] }),
  replays: true,
});

operatorContract({
  name: "augment",
  make: () => augment({ mirror: true, elastic: { alpha: [0, 20], sigma: [1.5, 2] }, probability: 0.6 }),
  wrongOptions: [
    () => augment({ probability: 1.1 }),
    () => augment({ mirror: { axes: [] } }),
    () => augment({ rotation: { degrees: -1 } }),
    () => augment({ scaling: { range: [1.2, 0.8] } }),
    () => augment({ scaling: { range: [0, 1] } }),
    () => augment({ elastic: { sigma: [0, 3] } }),
    () => augment({ gamma: { range: [0, 2] } }),
    () => augment({ noise: { deviation: [-1, 1] } }),
    () => augment({ contrast: { probability: -0.1 } }),
    () => augment({ order: 2 as 3 }),
    () => augment({ labels: "yes" as unknown as boolean }),
  ],
  count: one,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "augment, nnU-Net's, in cycles",
  make: () => augment({ preset: "nnunet", cycles: 2, probability: 0.7 }),
  wrongOptions: [() => augment({ preset: "nnUnet2" as "nnunet" }), () => augment({ cycles: 0 }), () => augment({ blurr: true } as object)],
  count: (n) => 2 * n,
  shapes: same,
  replays: true,
});

operatorContract({
  name: "patch, random",
  make: () => patch({ size: [4, 12, 5], perCase: 3, foreground: { share: 0.5, by: "lesion", classes: [1, 2], spread: "even" } }),
  wrongOptions: [
    () => patch({ size: [4, 4, 4], foreground: { share: 2 } }),
    () => patch({ size: [4, 4, 4], foreground: { share: 1, by: "organ" as "class" } }),
    () => patch({ size: [4, 4, 4], foreground: { share: 1, classes: [0] } }),
    () => patch({ size: [4, 4, 4], foreground: { share: 1, spread: "often" as "even" } }),
    () => patch({ size: [4, 4, 0] }),
    () => patch({ size: [4, 4] as unknown as [number, number, number] }),
    () => patch({ size: [4, 4, 4], mode: "center" as "grid" }),
    () => patch({ size: [4, 4, 4], perCase: 0 }),
    () => patch({ size: [4, 4, 4], overlap: 4 }),
    () => patch({ size: [4, 4, 4], margin: -1 }),
    () => patch({ size: [4, 4, 4], foreground: 2 }),
    () => patch({ size: [4, 4, 4], attempts: 0 }),
  ],
  count: (n) => 3 * n,
  shapes: ([, , , c]) => ({ image: [4, 12, 5, c], label: [4, 12, 5, 1] }),
  replays: true,
});

operatorContract({
  name: "patch, grid",
  make: () => patch({ size: [4, 4, 4], mode: "grid", overlap: [0, 1, 2] }),
  wrongOptions: [],
  count: (n) => 2 * 3 * 3 * n,
  shapes: ([, , , c]) => ({ image: [4, 4, 4, c], label: [4, 4, 4, 1] }),
  replays: true,
});

operatorContract({
  name: "skipBlank",
  make: () => skipBlank(),
  wrongOptions: [() => skipBlank({ class: -1 }), () => skipBlank({ minimalFraction: 1 })],
  count: one,
  shapes: same,
});

operatorContract({
  name: "shuffle",
  make: () => shuffle<Sample>({ window: 3 }),
  wrongOptions: [() => shuffle({ window: 0 })],
  count: one,
  shapes: same,
  isBlind: true,
});

operatorContract({
  name: "prefetch",
  make: () => prefetch<Sample>({ capacity: 2 }),
  wrongOptions: [() => prefetch({ capacity: 0 })],
  count: one,
  shapes: same,
  isBlind: true,
});

operatorContract<Batch>({
  name: "batch",
  make: () => batch({ size: 2 }),
  wrongOptions: [() => batch({ size: 0 }), () => batch({ size: 2, incomplete: "pad" as "keep" })],
  count: (n) => Math.ceil(n / 2),
  shapes: same,
});

operatorContract({
  name: "a transform with a step of one's own",
  make: () =>
    transform({
      name: "half",
      parameters: {},
      step: {
        plan: (layout) => inPlacePlan(layout),
        apply: ({ image }) => {
          image!.input.forEach((x, i) => {
            image!.output[i] = x / 2;
          });
        },
      },
    }),
  wrongOptions: [() => transform({ name: "nothing", parameters: {} })],
  count: one,
  shapes: same,
});

operatorContract({
  name: "a fused chain",
  make: () => (source) =>
    source.pipe(
      clip({ min: -30, max: 50 }),
      resample({ spacing: [2, 2, 2], order: 1 }),
      normalize({ mode: "min-max", range: [-1, 1] }),
      augment({ mirror: true }),
    ),
  wrongOptions: [],
  count: one,
  shapes: ([d, h, w, c]) => ({ image: [d, h / 2, w / 2, c], label: [d, h / 2, w / 2, 1] }),
  replays: true,
});

operatorContract({
  name: "replay",
  make: () => replay([{ operator: "clip", params: { min: 0, max: 1 } }]),
  wrongOptions: [() => replay([{ operator: "unheard of", params: {} }])],
  count: one,
  shapes: same,
  replays: true,
});
