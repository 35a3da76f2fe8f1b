// 3-fold cross-validation with scores, curves, pictures and an offline report: node cross-validation.mjs <folder of KiTS cases> [runs] [epochs]
import { augment, batch, clip, crossValidate, defineConfig, evaluationTable, load, niftiCases, normalize, patch, tverskyLoss, unet } from "voxstream";

const [, , root = "data/phantoms", runs = "runs", epochs = "40"] = process.argv;
const config = defineConfig({
  data: niftiCases({ root, classes: ["background", "kidney", "tumor"] }),
  graph: ({ cases }) =>
    cases.pipe(load(), clip({ min: -79, max: 304 }), normalize(), patch({ size: [16, 32, 32], perCase: 4 }), augment(), batch({ size: 2 })),
  model: unet({ filters: 8, depth: 2, normalization: "instance" }),
  loss: tverskyLoss(),
  training: { epochs: Number(epochs), learningRate: 3e-3 },
  runs,
});
const { summary, report } = await crossValidate({ config, folds: 3 });
if (summary) console.log(`${evaluationTable(summary)}\nreport: ${report}`);
