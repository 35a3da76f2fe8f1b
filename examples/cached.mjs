// The slow, deterministic part once: later epochs and later runs read the prepared cases back, and of a patch only the chunks that it touches.
//   voxstream phantom data/phantoms && node examples/cached.mjs data/phantoms
import { batch, cached, cases, clip, createTaskPool, load, niftiCases, normalize, patch, resample, run, SlabPool, to } from "voxstream";
import { folderOfCases } from "./shared/folder-of-cases.mjs";

const data = niftiCases({ root: folderOfCases(process.argv[2] ?? "data/phantoms"), classes: ["background", "kidney", "tumor"] });
const tasks = createTaskPool({ threads: 1 });
const context = { seed: 1, mode: "training", pool: new SlabPool({ budget: 512 * 1024 ** 2 }), tasks, onError: "fail" };

const batches = cases(data, { refs: await data.list(), epochs: 3 }).pipe(
  // Everything inside is part of the key: change an option, a file or the code, and only then the case is made again.
  cached(load(), clip({ min: -79, max: 304 }), resample({ spacing: [3, 1.5, 1.5] }), normalize(), { folder: process.argv[3] ?? "cache", quota: "20GB" }),
  patch({ size: [16, 32, 32], perCase: 2 }), // random again in every epoch
  batch({ size: 2 }),
);
const seconds = [0, 0, 0];
let last = performance.now();
const time = ({ parts }) => {
  const now = performance.now();
  seconds[parts[0].epoch] += (now - last) / 1000;
  last = now;
};
await run("cached", [batches.pipe(to(time))], { context }).done;
seconds.forEach((duration, epoch) => console.log(`epoch ${epoch + 1}: ${duration.toFixed(3)} s`));
await tasks.destroy();
