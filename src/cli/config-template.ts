export interface ConfigTemplateOptions {
  readonly name: string;
  readonly root: string;
  readonly classes: readonly string[];
  /** Voxel size to train at, `[z, y, x]` in mm. */
  readonly spacing: readonly number[];
  readonly patch: readonly number[];
  /** Levels of the network, so that the patch halves that often. */
  readonly depth: number;
  /** Intensities to clip at. */
  readonly range: readonly [number, number];
}

/** A config file to start from, with what `voxstream init` found in the data. */
export function configTemplate({ name, root, classes, spacing, patch, depth, range }: ConfigTemplateOptions): string {
  const plain = (value: unknown): string => JSON.stringify(value).replaceAll(",", ", ");
  return `import {
  augment, batch, cached, clip, defineConfig, load, niftiCases, normalize, patch, polynomial, prefetch, resample, shuffle, softDice, tverskyLoss, unet,
} from "voxstream";

export default defineConfig({
  name: ${plain(name)},
  data: niftiCases({ root: ${plain(root)}, classes: ${plain(classes)} }),
  split: { validation: 0.2 },
  graph: ({ cases }) =>
    cases.pipe(
      cached(
        load(),
        clip({ min: ${range[0]}, max: ${range[1]} }),       // 0.5th and 99.5th percentile of the data
        resample({ spacing: ${plain(spacing)} }), // median voxel size, z y x in mm
        normalize({ mode: "z-score" }),
      ),
      patch({ size: ${plain(patch)}, perCase: 2, foreground: 0.5 }),
      augment({ mirror: true }),
      shuffle({ window: 16 }),
      batch({ size: 2 }),
      prefetch({ capacity: 2 }),
    ),
  model: unet({ filters: 16, depth: ${depth}, normalization: "instance" }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: { epochs: 200, learningRate: 1e-3, schedule: polynomial() },
});
`;
}
