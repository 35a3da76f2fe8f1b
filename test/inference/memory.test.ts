import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const MODULE = new URL("../../dist/inference/sliding-window.js", import.meta.url).href;

/** Peak resident memory above the start, in MB, of a process that merges windows over a volume of so many planes. */
async function peak(depth: number): Promise<number> {
  const program = `
    import { slidingWindow } from ${JSON.stringify(MODULE)};
    const shape = [${depth}, 96, 96, 1];
    const image = new Float32Array(${depth} * 96 * 96);
    const scores = new Float32Array(2 * 8 * 32 * 32 * 48);
    const before = process.memoryUsage().rss;
    await slidingWindow(image, shape, {
      infer: (_, count) => scores.subarray(0, count * 8 * 32 * 32 * 48).fill(0.5), classes: 48, patch: [8, 32, 32], flips: [0, 1, 2], weighting: "gaussian", overlap: [0, 0, 0],
    });
    console.log((process.resourceUsage().maxRSS * 1024 - before) / 1e6);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return Number(stdout);
}

it("memory does not grow with depth times classes: a slab of sums, not a volume of them", { timeout: 300_000 }, async () => {
  const [shallow, deep] = [await peak(16), await peak(160)];
  // All scores of the deep volume would be 160 x 96 x 96 x 48 floats: 283 MB. Image and labels are 7 MB; what flips throw away waits for the collector.
  expect(deep - shallow).toBeLessThan(60);
});
