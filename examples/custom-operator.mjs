// Operators of your own: one from a module, which runs in worker threads and is cached; one on the graph thread; one that is random.
//   voxstream phantom data/phantoms && node examples/custom-operator.mjs data/phantoms
import { batch, cached, cases, createTaskPool, load, niftiCases, patch, run, SlabPool, to, transform } from "voxstream";
import { folderOfCases } from "./shared/folder-of-cases.mjs";
import { softWindow } from "./operators/soft-window.mjs";

/** 1 - x, on the graph thread: good enough for trying things out. */
const negative = () =>
  transform({
    name: "negative",
    apply: ({ image }) => {
      for (let i = 0; i < image.input.length; i++) image.output[i] = 1 - image.input[i];
    },
  });

/** x + offset, with an offset drawn per patch by (seed, epoch, case, patch, name): the same for any number of threads, and after a resume. */
const randomOffset = ({ most }) =>
  transform({
    name: "randomOffset",
    parameters: { most },
    draw: (random, { mode }) => (mode === "training" ? { offset: random.uniform(-most, most) } : undefined),
    apply: ({ image }, { offset }) => {
      for (let i = 0; i < image.input.length; i++) image.output[i] = image.input[i] + offset;
    },
  });

const [root = "data/phantoms", folder = "cache"] = process.argv.slice(2);
const data = niftiCases({ root: folderOfCases(root), classes: ["background", "kidney", "tumor"] });
const tasks = createTaskPool({ threads: 1 });
const context = { seed: 1, mode: "training", pool: new SlabPool({ budget: 256 * 1024 ** 2 }), tasks, onError: "fail" };
const batches = cases(data, { refs: await data.list(), order: "sorted" }).pipe(
  cached(load(), softWindow({ level: 40, width: 100 }), { folder }),
  patch({ size: [16, 32, 32] }),
  negative(),
  randomOffset({ most: 0.1 }),
  batch({ size: 1 }),
);
const show = ({ parts: [{ id, history }] }) => {
  const drawn = history.find(({ operator }) => operator === "randomOffset").params.offset;
  console.log(`${id}: ${history.map(({ operator }) => operator).join(" ")}; offset ${drawn.toFixed(4)}`);
};
await run("custom operator", [batches.pipe(to(show))], { context }).done;
await tasks.destroy();
