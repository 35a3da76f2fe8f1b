import { elementCount, formatShape, type Shape4 } from "../../core/shape.js";
import { resampleImage } from "../../kernels/resample-image/resample-image.js";
import { resampleLabel } from "../../kernels/resample-label/resample-label.js";
import { benchPhantom } from "./bench-phantom.js";
import type { BenchOptions, BenchResult } from "./bench-result.js";
import { benchShape } from "./bench-shape.js";
import { measure } from "./measure.js";

const FROM = [3, 0.78, 0.78] as const;
const TO = [3.22, 1.62, 1.62] as const;

/** A CT of 0.78 x 0.78 x 3 mm to 1.62 x 1.62 x 3.22 mm, and its labels. */
export async function benchResample({ shape, runs }: BenchOptions): Promise<readonly BenchResult[]> {
  const size = benchShape(shape, [64, 512, 512]);
  const { image, label } = benchPhantom(size);
  const from: Shape4 = [...size, 1];
  const target = size.map((extent, axis) => Math.max(1, Math.floor((extent * FROM[axis]!) / TO[axis]!))) as [number, number, number];
  const to: Shape4 = [...target, 1];
  const output = new Float32Array(elementCount(to));
  const labels = new Uint8Array(elementCount(to));
  const results: BenchResult[] = [];
  for (const order of [3, 1] as const) {
    const work = () => resampleImage(image, from, output, to, { order });
    results.push(
      await measure(`resample/order${order}`, formatShape(size), runs, work, () => undefined, { bytes: 4 * (image.length + output.length) }),
    );
  }
  const work = () => resampleLabel(label, from, labels, to, { order: 1 });
  results.push(await measure("resample/labels", formatShape(size), runs, work, () => undefined, { bytes: label.length + labels.length }));
  return results;
}
