// The KiTS19 configuration of the MIScnn paper (BMC Medical Imaging 2021): 3.22 x 1.62 x 1.62 mm, HU -79..304, patches 80x160x160, batch 2.
//   voxstream train examples/kits19.config.ts          with the data in data/kits19/case_00000 ... (github.com/neheller/kits19)
// KITS19 names another folder. The paper trained 120 of the 210 cases for 1000 epochs.
import {
  augment,
  batch,
  cached,
  clip,
  defineConfig,
  load,
  niftiCases,
  normalize,
  patch,
  plateau,
  prefetch,
  resample,
  shuffle,
  skipBlank,
  softDice,
  tverskyLoss,
  unet,
} from "voxstream";

export default defineConfig({
  name: "kits19",
  data: niftiCases({ root: process.env.KITS19 ?? "data/kits19", classes: ["background", "kidney", "tumor"] }),
  split: { validation: 0.2 },
  memory: "8GB",
  graph: ({ cases }) =>
    cases.pipe(
      cached(load(), clip({ min: -79, max: 304 }), resample({ spacing: [3.22, 1.62, 1.62] }), normalize({ mode: "z-score" })),
      patch({ size: [80, 160, 160], perCase: 2 }),
      skipBlank(),
      augment({ mirror: true, elastic: true }),
      shuffle({ window: 32 }),
      batch({ size: 2 }),
      prefetch({ capacity: 2 }),
    ),
  model: unet({ filters: 32, depth: 4 }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: {
    epochs: 1000,
    learningRate: 1e-4,
    schedule: plateau({ factor: 0.1, patience: 20, minRate: 1e-5 }),
  },
});
