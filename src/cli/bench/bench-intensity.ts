import { elementCount, formatShape } from "../../core/shape.js";
import { normalize } from "../../kernels/normalize/normalize.js";
import { benchPhantom } from "./bench-phantom.js";
import type { BenchOptions, BenchResult } from "./bench-result.js";
import { benchShape } from "./bench-shape.js";
import { measure } from "./measure.js";

/** Clip to -79..304 and z-score of one volume, as KiTS19 is prepared. */
export async function benchIntensity({ shape, runs }: BenchOptions): Promise<readonly BenchResult[]> {
  const size = benchShape(shape, [64, 512, 512]);
  const { image } = benchPhantom(size);
  const output = new Float32Array(elementCount(size));
  const result = await measure(
    "intensity/clip-zscore",
    formatShape(size),
    runs,
    (input) => normalize(input, output, { mode: "z-score", clip: { min: -79, max: 304 } }),
    () => image,
    // Read for the statistics, read and written for the rest.
    { bytes: 12 * image.length },
  );
  return [result];
}
