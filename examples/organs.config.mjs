// A handful of organs of TotalSegmentator-like label maps (61 labels), in KiTS layout; ORGANS names the folder. Small enough to overfit one case on a laptop:
//   ORGANS=path/to/ct-abdomen voxstream train examples/organs.config.mjs
import {
  batch,
  cached,
  clip,
  combinedLoss,
  crossEntropyLoss,
  defineConfig,
  diceLoss,
  load,
  mapLabels,
  niftiCases,
  normalize,
  patch,
  polynomial,
  prefetch,
  resample,
  softDice,
  unet,
} from "voxstream";

export default defineConfig({
  name: "organs",
  data: niftiCases({ root: process.env.ORGANS ?? "data/ct-abdomen", classes: ["background", "spleen", "right kidney", "left kidney", "liver"] }),
  graph: ({ cases }) =>
    cases.pipe(
      cached(
        load({ labels: "any" }),
        // The file's labels 1, 2, 3, 5 become 1 to 4; all other organs are background.
        mapLabels({ map: { 1: 1, 2: 2, 3: 3, 5: 4 }, others: 0 }),
        clip({ min: -160, max: 240 }),
        resample({ spacing: [3, 3, 3] }),
        normalize({ mode: "z-score" }),
      ),
      // The whole width of the body: left and right kidney look alike, their place tells them apart.
      patch({ size: [64, 64, 112], perCase: 8, foreground: 0.9 }),
      batch({ size: 1 }),
      prefetch({ capacity: 2 }),
    ),
  model: unet({ filters: 12, depth: 4, normalization: "instance" }),
  loss: combinedLoss({ losses: [diceLoss(), crossEntropyLoss()] }),
  metrics: [softDice()],
  training: { epochs: 40, learningRate: 3e-3, schedule: polynomial() },
});
