// Batches for something that is not our trainer: `for await`, here logistic regression of "is kidney or tumor" on the intensity, written by hand.
//   voxstream phantom data/phantoms && node examples/another-trainer.mjs data/phantoms
import { take } from "rxjs";
import { batch, cases, clip, createTaskPool, iterate, load, niftiCases, normalize, patch, prefetch, SlabPool } from "voxstream";
import { folderOfCases } from "./shared/folder-of-cases.mjs";

const data = niftiCases({ root: folderOfCases(process.argv[2] ?? "data/phantoms"), classes: ["background", "kidney", "tumor"] });
const tasks = createTaskPool({ threads: 1 });
const context = { seed: 1, mode: "training", pool: new SlabPool({ budget: 256 * 1024 ** 2 }), tasks, onError: "fail" };
const batches = cases(data, { refs: await data.list(), epochs: Infinity }).pipe(
  load(),
  clip({ min: -79, max: 304 }),
  normalize(),
  patch({ size: [16, 32, 32], foreground: 0.7 }),
  batch({ size: 4 }),
  prefetch({ capacity: 2 }), // made while the loop below works
  take(40),
);

let [weight, bias, step, first] = [0, 0, 0, 0];
for await (const { image, label } of iterate(batches, { context })) {
  let [loss, toWeight, toBias] = [0, 0, 0];
  for (let i = 0; i < image.data.length; i++) {
    const [x, y] = [image.data[i], label.data[i] > 0 ? 1 : 0];
    const p = 1 / (1 + Math.exp(-(weight * x + bias)));
    loss -= Math.log(Math.max(1e-12, y ? p : 1 - p));
    toWeight += (p - y) * x;
    toBias += p - y;
  }
  const count = image.data.length;
  weight -= (2 * toWeight) / count;
  bias -= (2 * toBias) / count;
  if (step++ === 0) first = loss / count;
  // The batch's memory goes back to the pool when the loop asks for the next one; to keep voxels longer, copy them.
  if (step % 10 === 0) console.log(`step ${step}: loss ${(loss / count).toFixed(3)}`);
  if (step === 40) console.log(loss / count < first ? "it learns" : "it does not learn");
}
console.log(`${context.pool.bytesInUse} bytes still in use`);
await tasks.destroy();
