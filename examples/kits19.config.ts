// The KiTS19 study of the MIScnn paper (Müller and Kramer, BMC Medical Imaging 2021), number by number. Its result: median Dice 0.9544 (kidney), 0.7912 (tumor).
//   voxstream crossval examples/kits19.config.ts --folds 3     with the data in data/kits19/case_00000 ... (github.com/neheller/kits19)
// KITS19 names another folder. It takes a GPU with about 40 GB, and days; KITS19_SMALL=1 makes everything small, to try the recipe on phantoms in minutes:
//   voxstream phantom data/phantoms --cases 6 --shape 32x64x64
//   KITS19=data/phantoms KITS19_SMALL=1 voxstream crossval examples/kits19.config.ts --folds 3
import {
  augment,
  batch,
  cached,
  clip,
  combinedLoss,
  crossEntropyLoss,
  defineConfig,
  diceLoss,
  load,
  niftiCases,
  normalize,
  patch,
  plateau,
  prefetch,
  resample,
  softDice,
  type TrainingMetric,
  type Triple,
  tverskyLoss,
  unet,
} from "voxstream";

const isSmall = process.env.KITS19_SMALL === "1";
const size: Triple = isSmall ? [16, 32, 32] : [80, 160, 160];

const diceAndCrossEntropy = combinedLoss({ losses: [diceLoss(), crossEntropyLoss()] });
const diceCrossEntropy: TrainingMetric = (logits, target) => diceAndCrossEntropy(logits, target);

export default defineConfig({
  name: "kits19",
  data: niftiCases({
    root: process.env.KITS19 ?? "data/kits19",
    classes: ["background", "kidney", "tumor"],
    // The first 120 cases without the suspicious ones (15, 23, 37 and 68; further on also 125 and 133).
    pattern: /case_00(?!015|023|037|068)(0\d\d|1[01]\d|12[0-3])/,
  }),
  memory: isSmall ? "512MB" : "8GB",
  graph: ({ cases }) =>
    cases.pipe(
      // Prepared once ("prepare_subfunctions"), in this order. Spacing is z, y, x in mm.
      cached(load(), resample({ spacing: [3.22, 1.62, 1.62] }), clip({ min: -79, max: 304 }), normalize({ mode: "z-score" })),
      // "patchwise-crop" with two cycles of augmentation: two random patches of a case, which make a batch.
      patch({ size, perCase: 2 }),
      // All eight techniques; each strikes 15 % of the patches, mirroring half of them per axis.
      augment({ scaling: true, rotation: true, elastic: true, mirror: true, brightness: true, contrast: true, gamma: true, noise: true }),
      batch({ size: 2 }),
      prefetch({ capacity: 3 }),
    ),
  model: isSmall ? unet({ filters: 4, depth: 4 }) : unet({ filters: 32, depth: 4, normalization: "batch" }),
  loss: tverskyLoss({ alpha: 0.5, beta: 0.5 }),
  metrics: [softDice(), diceCrossEntropy],
  training: {
    epochs: isSmall ? 2 : 1000,
    stepsPerEpoch: isSmall ? 6 : 150,
    optimizer: "adam",
    learningRate: 1e-4,
    // Both look at the loss of the training cases.
    monitor: "loss",
    schedule: plateau({ factor: 0.1, patience: 20, minDelta: 1e-4, cooldown: 1, minRate: 1e-5 }),
    earlyStopping: { patience: 150 },
  },
});
