// What the examples of the doc comments take for granted: a small cohort in the working folder, flows over it, a network, label maps, tensors.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import {
  batch,
  type CaseRef,
  cases,
  componentTables,
  createTaskPool,
  defineConfig,
  evaluateCase,
  type GraphInput,
  kFold,
  LabelMapComparison,
  load,
  niftiCases,
  patch,
  patchGraph,
  readHeader,
  readLabel,
  readLabelPair,
  readVolume,
  type Sample,
  SlabPool,
  saveBundle,
  startEngine,
  summarizeEvaluation,
  type Triple,
  tverskyLoss,
  unet,
  Volume,
  writePhantoms,
} from "voxstream";

export const shape = [48, 96, 96] as const;
export const spacing = [3, 0.78, 0.78] as const;
export const classes = ["background", "kidney", "tumor"] as const;

export const root = "data/kits19";
await writePhantoms({ folder: root, cases: 6, shape, spacing, seed: 1 });
export const data = niftiCases({ root, classes });
export const refs = await data.list();
export const ref = refs[0] as CaseRef;
export const ids = refs.map(({ id }) => id);
export const id = ids[0]!;
export const split = { train: ids.slice(1) };
export const path = `${root}/${id}/imaging.nii.gz`;
export const header = await readHeader(`${root}/${id}/segmentation.nii.gz`);
export const image = new Float32Array(shape[0] * shape[1] * shape[2]);
readVolume(await readHeader(path), image);
export const reference = new Uint8Array(image.length);
readLabel(header, reference, { classes });
/** As the reference, but a voxel farther along each row. */
export const prediction = Uint8Array.from(reference, (_, i) => reference[i - 1] ?? 0);
export const label = Uint8Array.from(reference);
export const labels = Uint8Array.from(prediction);

for (const [folder, file] of [
  ["labels", "segmentation"],
  ["out", "segmentation"],
  ["predictions", "segmentation"],
  ["incoming", "imaging"],
]) {
  mkdirSync(folder!, { recursive: true });
  for (const each of ids.slice(0, 2)) copyFileSync(`${root}/${each}/${file}.nii.gz`, `${folder}/${each}.nii.gz`);
}

const pool = new SlabPool({ budget: 1024 ** 3 });
export const tasks = createTaskPool({ threads: 1 });
export const context = { seed: 1, mode: "training", pool, tasks, onError: "fail" } as const;
/** Each flow can be read several times. */
export const input: GraphInput = { cases: cases(data, { refs }), mode: "training", classes };
export const samples = cases(data, { refs: refs.slice(0, 2) }).pipe(load());
export const patches = samples.pipe(patch({ size: [16, 32, 32], perCase: 2 }));
export const batches = patches.pipe(batch({ size: 2 }));
export const graph = patchGraph({ range: [-79, 304], spacing: [6, 1.56, 1.56], patch: [16, 32, 32], batch: 1 });

await startEngine({ engine: "auto", seed: 7 });
export const logits = tf.randomNormal([2, 4, 8, 8, 3], 0, 1, "float32", 1);
export const target = tf.randomUniform([2, 4, 8, 8, 1], 0, 3, "int32", 2);
export const x = tfl.input({ shape: [8, 16, 16, 4] });
const small = { shape: [16, 32, 32, 1], classes: 3, seed: 1 } as const;
export const model = unet({ filters: 4, depth: 2 }).build(small);
export const description = {
  classes,
  channels: 1,
  patch: [16, 32, 32] as Triple,
  spacing: null,
  preprocessing: [{ name: "load", params: {} }],
  model: { name: "unet", options: { filters: 4, depth: 2 } },
  loss: { name: "tverskyLoss", options: {} },
  engine: "auto",
};
for (const run of ["runs/kits/fold-0", "runs/kits", "runs/demo"]) {
  for (const kind of ["latest", "best"]) await saveBundle(`${run}/checkpoints/${kind}`, model, description);
}
export const [a, b] = ["runs/kits/checkpoints/best", "runs/kits/checkpoints/latest"];
export const config = defineConfig({ data, graph, model: unet({ filters: 4, depth: 2 }), loss: tverskyLoss(), training: { epochs: 1 } });
export const comparison = new LabelMapComparison({ prediction, reference, shape, spacing });
export const handler = tf.io.withSaveHandler(async () => ({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } }));
const settings = `import { batch, defineComparison, defineConfig, load, niftiCases, patch, tverskyLoss, unet } from "voxstream";
const data = niftiCases({ root: "data/kits19", classes: ["background", "kidney", "tumor"] });
const graph = ({ cases }) => cases.pipe(load(), patch({ size: [16, 32, 32] }), batch({ size: 1 }));
const base = defineConfig({ data, graph, model: unet({ filters: 4, depth: 2 }), loss: tverskyLoss(), training: { epochs: 1 } });
`;
writeFileSync("kits19.config.ts", `${settings}export default base;`);
writeFileSync(
  "networks.config.mjs",
  `${settings}
export default defineComparison({ base, variants: { unet: {}, residual: { model: unet({ filters: 2, depth: 2 }) } }, folds: 3 });`,
);
writeFileSync("runs/demo/history.tsv", "epoch\tloss\tval_loss\tlr\n1\t0.9\t0.95\t0.001\n2\t0.7\t0.8\t0.001\n");

/** One row for each case and class. */
export const rows = await Promise.all(
  ids.map(async (each) => {
    const file = `${root}/${each}/segmentation.nii.gz`;
    return evaluateCase({ id: each, classes, ...(await readLabelPair({ id: each, prediction: file, reference: file, classes })) });
  }),
).then((all) => all.flat());
export const summary = summarizeEvaluation(rows);
const cost = { parameters: 1, trainable: 1, peakBytes: null, stepMs: null, trainSeconds: 1, predictSeconds: null };
export const variants = ["unet", "residual"].map((name) => ({ name, seeds: [rows], cost }));
export const splits = kFold(ids, { folds: 2, seed: 1, repeats: 2 });
export const tables = componentTables({ id, fold: 0, classes, pair: { prediction, reference, shape, spacing } });

export const confusions = [
  {
    id,
    confusion: [
      [900, 10, 0],
      [5, 80, 2],
      [0, 1, 7],
    ],
  },
];

/** A loaded case that owns its voxels. */
const geometry = header.geometry;
const whole = Volume.create(pool, "float32", header.shape, geometry).retain();
whole.data.set(image);
export const sample: Sample = { id, epoch: 0, image: whole, source: header.source, history: [{ operator: "load", params: {} }] };
export const part = { id, epoch: 0, history: sample.history };
export const windows = [0, 16, 32].map((z) => ({ scores: new Float32Array(16 * 96 * 96 * 3).fill(1), start: [z, 0, 0] as Triple }));
export const raw = { labels, shape, scores: new Float32Array(labels.length * 3) };
export const infer = (voxels: Float32Array): Float32Array => new Float32Array(voxels.length * 3);

/** Closes what would keep the program alive. */
export async function closeWorld(): Promise<void> {
  await tasks.destroy();
}
