// Operators of your own: a deterministic one and a random one, as steps with a plan (shapes, before any voxel is read) and the work itself.
//   voxstream phantom data/phantoms && node examples/custom-operator.mjs data/phantoms
import { batch, cases, createTaskPool, inPlacePlan, load, niftiCases, patch, run, SlabPool, to, transform } from "voxstream";

/** out = 1 / (1 + exp(-(x - level) / width)): a soft window, in place. */
const softWindow = ({ level, width }) =>
  transform({
    name: "softWindow",
    params: { level, width }, // stands in the history of each sample
    step: {
      plan: (layout) => inPlacePlan(layout), // shape, place and label stay as they are
      apply: ({ image }) => {
        for (let i = 0; i < image.input.length; i++) image.output[i] = 1 / (1 + Math.exp(-(image.input[i] - level) / width));
      },
    },
  });

/** x + offset, with an offset drawn per patch by (seed, epoch, case, patch, name): the same for any number of threads, and after a resume. */
const randomOffset = ({ most }) =>
  transform({
    name: "randomOffset",
    params: { most },
    draw: (random, { mode }) => (mode === "training" ? { offset: random.uniform(-most, most) } : undefined),
    step: {
      plan: (layout) => inPlacePlan(layout),
      apply: ({ image, params }) => {
        for (let i = 0; i < image.input.length; i++) image.output[i] = image.input[i] + params.offset;
      },
    },
  });

const data = niftiCases({ root: process.argv[2] ?? "data/phantoms", classes: ["background", "kidney", "tumor"] });
const tasks = createTaskPool({ threads: 1 });
const context = { seed: 1, mode: "training", pool: new SlabPool({ budget: 256 * 1024 ** 2 }), tasks, onError: "fail" };
const batches = cases(data, { refs: await data.list(), order: "sorted" }).pipe(
  load(),
  softWindow({ level: 40, width: 100 }),
  patch({ size: [16, 32, 32] }),
  randomOffset({ most: 0.1 }),
  batch({ size: 1 }),
);
const show = ({ parts: [{ id, history }] }) => {
  const drawn = history.find(({ operator }) => operator === "randomOffset").params.offset;
  console.log(`${id}: ${history.map(({ operator }) => operator).join(" ")}; offset ${drawn.toFixed(4)}`);
};
await run("custom operator", [batches.pipe(to(show))], { context }).done;
await tasks.destroy();
