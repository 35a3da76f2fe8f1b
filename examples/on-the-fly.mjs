// Patches for training, made while they are needed: nothing is written, memory stays within the budget.
//   voxstream phantom data/phantoms && node examples/on-the-fly.mjs data/phantoms
import {
  augment,
  batch,
  cases,
  clip,
  createTaskPool,
  load,
  niftiCases,
  normalize,
  patch,
  prefetch,
  run,
  SlabPool,
  shuffle,
  to,
} from "voxstream";
import { folderOfCases } from "./shared/folder-of-cases.mjs";

const data = niftiCases({ root: folderOfCases(process.argv[2] ?? "data/phantoms"), classes: ["background", "kidney", "tumor"] });
const tasks = createTaskPool({ threads: 1 });
const pool = new SlabPool({ budget: 256 * 1024 ** 2 });
// What operators get from the run: the seed of all that is random, memory, threads, and what happens to a case that cannot be read.
const context = { seed: 1, mode: "training", pool, tasks, onError: "skip", skipBudget: 3 };

const batches = cases(data, { refs: await data.list(), epochs: 2 }).pipe(
  load(),
  clip({ min: -79, max: 304 }), // load, clip and normalize follow each other: one worker task per case
  normalize(),
  patch({ size: [16, 32, 32], perCase: 4, foreground: 0.5 }), // half of them around kidney or tumor
  augment({ mirror: true }),
  shuffle({ window: 8 }),
  batch({ size: 2 }),
  prefetch({ capacity: 2 }),
);
let count = 0;
const train = ({ image, label }) => {
  // image.data is a Float32Array, label.data a Uint8Array; both belong to the pool again when this function is over.
  if (count++ === 0) console.log(`batches of ${image.shape.join("x")}, labels ${label.dtype}`);
};
const job = run("on the fly", [batches.pipe(to(train, { name: "trainer" }))], { context });
await job.done;
console.log(`${count} batches, at most ${Math.ceil(pool.peakBytes / 1024 ** 2)} MB of voxels, ${job.graph.skipped.length} samples left out`);
await tasks.destroy();
