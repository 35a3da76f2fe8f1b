import type { ReadingOptions } from "../io/case-reading.js";
import type { ForegroundIntensities } from "../io/foreground-intensities.js";

export interface ConfigTemplateOptions {
  readonly name: string;
  readonly root: string;
  readonly classes: readonly string[];
  /** Voxel size to train at, `[z, y, x]` in mm. */
  readonly spacing: readonly number[];
  readonly patch: readonly number[];
  /** Levels of the network, so that the patch halves that often. */
  readonly depth: number;
  /** Intensities to clip at; not used with `ct`. */
  readonly range: readonly [number, number];
  /** Numbers of the foreground, for values that are Hounsfield units. */
  readonly ct?: ForegroundIntensities;
  /** Where it was named and not found out. */
  readonly layout?: string;
  /** The function that reads the data. */
  readonly source?: "imageCases" | "dicomCases";
  /** What the values and pixels of the files mean. */
  readonly reading?: ReadingOptions;
  /** Whether there are cases enough for some to validate. */
  readonly hasValidation: boolean;
}

/** A config file to start from, with what `voxstream init` found in the data. */
export function configTemplate({
  name,
  root,
  classes,
  spacing,
  patch,
  depth,
  range,
  ct,
  layout,
  source = "imageCases",
  reading = {},
  hasValidation,
}: ConfigTemplateOptions): string {
  const plain = (value: unknown): string => JSON.stringify(value).replaceAll(",", ", ");
  const lines = [
    "load(),",
    ...(ct ? [] : [`clip({ min: ${range[0]}, max: ${range[1]} }), // 0.5th and 99.5th percentile of the data`]),
    `resample({ spacing: ${plain(spacing)} }), // median voxel size, z y x in mm`,
    ...(ct
      ? [
          "// The values look like Hounsfield units: clipped and scaled by percentiles 0.5 and 99.5, mean and deviation of the labelled voxels.",
          `normalize({ mode: "ct", ${Object.entries(ct)
            .map(([key, value]) => `${key}: ${plain(value)}`)
            .join(", ")} }),`,
        ]
      : ['normalize({ mode: "z-score" }),']),
  ];
  return `import {
  augment, batch, cached, ${ct ? "" : "clip, "}defineConfig, ${source}, load, normalize, patch, polynomial, prefetch, resample, shuffle, softDice, tverskyLoss, unet,
} from "voxstream";

export default defineConfig({
  name: ${plain(name)},
  data: ${source}({ root: ${plain(root)}, classes: ${plain(classes)}${layout === undefined ? "" : `, layout: ${plain(layout)}`}${Object.entries(
    reading,
  )
    .map(([name, value]) => `, ${name}: ${plain(value)}`)
    .join("")} }),
${hasValidation ? "  split: { validation: 0.2 },\n" : ""}  graph: ({ cases }) =>
    cases.pipe(
      cached(
        ${lines.join("\n        ")}
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
