// All U-Nets side by side on phantoms: the same cases, steps and seeds, widths alike (8 filters, 3 levels). See docs/comparison.md.
//   voxstream phantom data/phantoms --cases 24 --shape 32x64x64
//   voxstream compare examples/networks.config.mjs
// PHANTOMS names another folder of cases in KiTS layout.
import {
  attentionResidualUnet,
  attentionUnet,
  augment,
  batch,
  cached,
  clip,
  combinedLoss,
  compactUnet,
  crossEntropyLoss,
  deepSupervision,
  defineComparison,
  denseUnet,
  diceLoss,
  highResolutionDenseUnet,
  load,
  multiPathUnet,
  multiResUnet,
  niftiCases,
  normalize,
  patch,
  plainUnet,
  polynomial,
  prefetch,
  resample,
  residualEncoderUnet,
  residualUnet,
  shuffle,
  softDice,
  unet,
} from "voxstream";

const width = { filters: 8, depth: 3, normalization: "instance" };
const loss = combinedLoss({ losses: [diceLoss(), crossEntropyLoss()] });

export default defineComparison({
  base: {
    data: niftiCases({ root: process.env.PHANTOMS ?? "data/phantoms", classes: ["background", "kidney", "tumor"] }),
    graph: ({ cases }) =>
      cases.pipe(
        cached(load(), clip({ min: -160, max: 300 }), resample({ spacing: [3.22, 1.62, 1.62] }), normalize({ mode: "z-score" })),
        patch({ size: [32, 32, 32], perCase: 2, foreground: 0.6 }),
        augment({ mirror: true }),
        shuffle({ window: 8 }),
        batch({ size: 2 }),
        prefetch({ capacity: 2 }),
      ),
    model: unet(width),
    loss,
    metrics: [softDice()],
    training: { epochs: 10, stepsPerEpoch: 50, learningRate: 3e-3, schedule: polynomial() },
    memory: "1GB",
    workers: 1,
  },
  variants: {
    unet: {},
    plain: { model: plainUnet({ filters: [8, 16, 32], pooling: "isotropic" }) },
    residual: { model: residualUnet(width) },
    dense: { model: denseUnet(width) },
    compact: { model: compactUnet(width) },
    multiRes: { model: multiResUnet(width) },
    attention: { model: attentionUnet(width) },
    attentionResidual: { model: attentionResidualUnet(width) },
    multiPath: {
      model: multiPathUnet({
        paths: [
          { factor: 4, filters: [8, 32] },
          { factor: 2, filters: [8, 16, 32, 64] },
        ],
      }),
    },
    residualEncoder: { model: residualEncoderUnet({ filters: [8, 16, 32, 64], deepSupervision: true }), loss: deepSupervision(loss) },
    highResolutionDense: { model: highResolutionDenseUnet(width) },
  },
  holdOut: 0.5,
});
