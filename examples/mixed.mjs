// Two data sets in one stream: three patches of the first for each of the second, drawn by the seed, whichever of them is faster to read.
//   voxstream phantom data/a && voxstream phantom data/b --seed 7 && node examples/mixed.mjs data/a data/b
import { take } from "rxjs";
import { batch, cases, createTaskPool, load, mix, niftiCases, normalize, patch, run, SlabPool, to } from "voxstream";
import { folderOfCases } from "./shared/folder-of-cases.mjs";

const [, , first = "data/a", second = "data/b"] = process.argv;
folderOfCases(first);
folderOfCases(second, " --seed 7");
const classes = ["background", "kidney", "tumor"];
const tasks = createTaskPool({ threads: 1 });
const context = { seed: 1, mode: "training", pool: new SlabPool({ budget: 256 * 1024 ** 2 }), tasks, onError: "fail" };

/** Endless patches of one data set. */
async function patchesOf(root) {
  const data = niftiCases({ root, classes });
  // The id tells the two sets apart in reports and random draws.
  const refs = (await data.list()).map((ref) => ({ ...ref, id: `${root.split(/[\\/]/).at(-1)}.${ref.id}` }));
  return cases(data, { refs, epochs: Infinity }).pipe(load(), normalize(), patch({ size: [16, 32, 32] }));
}
const mixed = mix(
  [
    { from: await patchesOf(first), weight: 3 },
    { from: await patchesOf(second), weight: 1 },
  ],
  { epochs: "merge" }, // the sets begin their epochs at different times, and a batch never mixes epochs
);
const counts = {};
const tally = ({ parts }) => {
  for (const { id } of parts) counts[id.split(".")[0]] = (counts[id.split(".")[0]] ?? 0) + 1;
};
// An endless stream, and a fixed number of steps: `take` ends both readers.
await run("mixed", [mixed.pipe(batch({ size: 4 }), take(10), to(tally))], { context }).done;
for (const [name, count] of Object.entries(counts).sort()) console.log(`${name}: ${count} of 40 patches`);
await tasks.destroy();
