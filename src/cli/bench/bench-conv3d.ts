import * as tf from "@tensorflow/tfjs-core";
import { startEngine } from "../../engine/index.js";
import type { BenchCase, BenchResult } from "./bench-result.js";
import { measure } from "./measure.js";

// Extent, channels in and out; batch 2, 3x3x3, same padding.
const CASES: readonly (readonly [extent: number, from: number, to: number])[] = [
  [32, 32, 16],
  [32, 16, 32],
  [32, 32, 32],
  [16, 64, 64],
  [64, 16, 16],
  [32, 1, 16],
];
const BATCH = 2;

/** One 3D convolution: forward, input gradient and filter gradient. */
export const benchConv3d: BenchCase = async ({ threads, runs, note }) => {
  const engine = await startEngine({ engine: "auto", threads });
  note(`engine ${engine.name}, ${engine.threads} threads`);
  const results: BenchResult[] = [];
  for (const [extent, from, to] of CASES) {
    const tag = `conv3d/${extent}-${from}-${to}`;
    const shape = [BATCH, extent, extent, extent, from, to].join("x");
    const flops = 2 * BATCH * 27 * from * to * extent ** 3;
    const x = tf.randomNormal([BATCH, extent, extent, extent, from], 0, 1, "float32", 1) as tf.Tensor5D;
    const filter = tf.randomNormal([3, 3, 3, from, to], 0, 1, "float32", 2) as tf.Tensor5D;
    const dy = tf.randomNormal([BATCH, extent, extent, extent, to], 0, 1, "float32", 3);
    const attrs = { strides: [1, 1, 1], pad: "same" };
    const kernel = (name: string, inputs: Record<string, tf.Tensor>, more: object) =>
      tf.dispose(
        tf.engine().runKernel(name, inputs as unknown as tf.NamedTensorMap, { ...attrs, ...more } as unknown as tf.NamedAttrMap) as tf.Tensor,
      );
    const runOne = (name: string, work: () => void) => measure(`${tag}/${name}`, shape, runs, work, () => undefined, { flops });
    results.push(await runOne("forward", () => tf.dispose(tf.conv3d(x, filter, 1, "same"))));
    results.push(await runOne("input-gradient", () => kernel("Conv3DBackpropInputV2", { dy, filter }, { inputShape: x.shape })));
    results.push(await runOne("filter-gradient", () => kernel("Conv3DBackpropFilterV2", { x, dy }, { filterShape: filter.shape })));
    tf.dispose([x, filter, dy]);
  }
  return results;
};
