// A handful of organs of TotalSegmentator-like label maps (61 labels), in KiTS layout; ORGANS names the folder. Small enough to overfit one case on a laptop:
//   ORGANS=path/to/ct-abdomen voxstream train examples/organs.config.mjs
import {
  batch,
  cached,
  clip,
  defineConfig,
  load,
  mapLabels,
  niftiCases,
  normalize,
  patch,
  polynomial,
  prefetch,
  resample,
  softDice,
  tverskyLoss,
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
      // Nearly the whole body: left and right kidney look alike, their place tells them apart.
      patch({ size: [96, 96, 112], perCase: 8 }),
      batch({ size: 1 }),
      prefetch({ capacity: 2 }),
    ),
  model: unet({ filters: 12, depth: 4, normalization: "instance" }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: { epochs: 30, learningRate: 3e-3, schedule: polynomial() },
});
