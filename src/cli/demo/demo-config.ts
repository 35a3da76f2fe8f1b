export interface DemoSettings {
  readonly name: string;
  readonly cases: number;
  readonly heldOut: number;
  readonly shape: readonly [number, number, number];
  readonly patch: readonly [number, number, number];
  readonly filters: number;
  readonly depth: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
}

/** What fits six minutes on two cores, training about four of them. */
export const DEMO: DemoSettings = {
  name: "demo",
  cases: 28,
  heldOut: 4,
  shape: [48, 96, 96],
  patch: [32, 64, 64],
  filters: 12,
  depth: 3,
  epochs: 18,
  stepsPerEpoch: 40,
  learningRate: 3e-3,
};

/** Shows that every part works, within a minute; too short to learn much. */
export const FAST_DEMO: DemoSettings = {
  ...DEMO,
  name: "demo-fast",
  cases: 10,
  heldOut: 1,
  shape: [32, 64, 64],
  patch: [32, 32, 32],
  filters: 8,
  depth: 2,
  epochs: 8,
  stepsPerEpoch: 25,
};

/** The config file that the demo writes and trains from: a user's own would look the same. */
export function demoConfig({ name, patch, filters, depth, epochs, stepsPerEpoch, learningRate }: DemoSettings, seed: number): string {
  return `// Written by "voxstream demo". Train it again: voxstream train config.mjs
import { fileURLToPath } from "node:url";
import {
  augment, batch, cached, clip, defineConfig, load, niftiCases, normalize, patch, polynomial, prefetch, resample, shuffle, softDice, tverskyLoss, unet,
} from "voxstream";

/** What lies beside this file, wherever the folder is moved to. */
const beside = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  name: ${JSON.stringify(name)},
  runs: beside("runs"),
  seed: ${seed},
  memory: "1GB",
  data: niftiCases({ root: beside("data/training"), classes: ["background", "kidney", "tumor"] }),
  split: { validation: 0.2 },
  validation: { cases: { every: 3 } },          // also predicts whole cases; the dashboard shows them epoch by epoch
  graph: ({ cases }) =>
    cases.pipe(
      cached(                                   // computed once per case, then read from LMDB
        load(),
        clip({ min: -160, max: 300 }),          // Hounsfield units
        resample({ spacing: [3.22, 1.62, 1.62] }),
        normalize({ mode: "z-score" }),
        { folder: beside("cache") },
      ),
      patch({ size: ${JSON.stringify(patch)}, perCase: 2, foreground: 0.6 }),
      augment({ mirror: true }),
      shuffle({ window: 8 }),
      batch({ size: 2 }),
      prefetch({ capacity: 2 }),
    ),
  model: unet({ filters: ${filters}, depth: ${depth}, normalization: "instance" }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: {
    epochs: ${epochs},
    stepsPerEpoch: ${stepsPerEpoch},
    learningRate: ${learningRate},
    schedule: polynomial(),
  },
});
`;
}
