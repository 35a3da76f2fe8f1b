import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { native } from "../../src/kernels/native.js";

const SCRIPT = `
const { parentPort, workerData } = require("node:worker_threads");
(async () => {
  const { native } = await import(workerData.addon);
  const addon = native();
  const geometry = Float64Array.of(1, 9, 9, 9, 7, 3, 3, 3, 18, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  const fill = (n, k) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * k));
  const x = fill(9 ** 3 * 7, 0.7), w = fill(27 * 7 * 18, 0.3), dy = fill(9 ** 3 * 18, 0.9);
  const sums = [];
  for (let i = 0; i < 40; i++) {
    if (i % 10 === 5 && workerData.resizes) addon.setThreadCount(1 + (i % 3));
    const y = new Float32Array(dy.length), dx = new Float32Array(x.length);
    addon.convForward(x, w, null, y, geometry, 1, 0);
    addon.convInputGradient(dy, w, null, dx, geometry, 0, 0);
    addon.convFilterGradient(x, dy, new Float32Array(w.length), geometry);
    sums.push(y.reduce((a, b) => a + b, 0) + dx.reduce((a, b) => a + b, 0));
  }
  parentPort.postMessage(sums);
})();
`;

describe.skipIf(!native())("the addon", () => {
  it("works in several worker threads and while one changes the number of threads", async () => {
    const addon = pathToFileURL(join(process.cwd(), "dist/kernels/native.js")).href;
    const run = (resizes: boolean) =>
      new Promise<number[]>((resolve, reject) => {
        const worker = new Worker(SCRIPT, { eval: true, workerData: { addon, resizes } });
        worker.on("message", resolve);
        worker.on("error", reject);
      });
    const results = await Promise.all([run(false), run(true), run(false), run(false)]);
    const [first] = results[0]!;
    expect(Number.isFinite(first)).toBe(true);
    for (const sums of results) expect(new Set(sums)).toEqual(new Set([first]));
  });
});
