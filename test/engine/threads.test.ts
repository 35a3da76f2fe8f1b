import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { native } from "../../src/kernels/native.js";

// Convolutions that go direct (7 channels) and by minimal filtering (16), element-wise work on the pool, and a data kernel, which takes no pool.
const WORK = `
const fill = (n, k) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * k));
function work(addon, resizes) {
  const sums = [];
  const inputs = [7, 16].map((from) => ({ from, x: fill(9 ** 3 * from, 0.7), w: fill(27 * from * 18, 0.3), dy: fill(9 ** 3 * 18, 0.9) }));
  for (let i = 0; i < 40; i++) {
    if (i % 10 === 5 && resizes) addon.setThreadCount(1 + (i % 3));
    let sum = 0;
    for (const { from, x, w, dy } of inputs) {
      const geometry = Float64Array.of(1, 9, 9, 9, from, 3, 3, 3, 18, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1);
      const y = new Float32Array(dy.length), dx = new Float32Array(x.length), dw = new Float32Array(w.length), e = new Float32Array(x.length);
      addon.convForward(x, w, null, y, geometry, 1, 0);
      addon.convInputGradient(dy, w, null, dx, geometry, 0, 0);
      addon.convFilterGradient(x, dy, dw, geometry);
      addon.unary(6, x, e, 0, 0);
      for (const all of [y, dx, e]) sum = all.reduce((a, b) => a + b, sum);
      // Its parts depend on the number of threads, and so its last bits.
      if (!dw.every(Number.isFinite)) sum = NaN;
    }
    sums.push(sum);
  }
  return sums;
}
`;
const SCRIPT = `
${WORK}
const { parentPort, workerData } = require("node:worker_threads");
(async () => {
  const { native } = await import(workerData.addon);
  const addon = native();
  parentPort.postMessage("ready");
  parentPort.postMessage(work(addon, workerData.resizes));
})();
`;

describe.skipIf(!native())("the addon", () => {
  it("works in several worker threads and the main thread at once, while one changes the number of threads", async () => {
    const addon = pathToFileURL(join(process.cwd(), "dist/kernels/native.js")).href;
    let ready = 0;
    let allReady = () => {};
    const started = new Promise<void>((resolve) => {
      allReady = resolve;
    });
    const run = (resizes: boolean) =>
      new Promise<number[]>((resolve, reject) => {
        const worker = new Worker(SCRIPT, { eval: true, workerData: { addon, resizes } });
        worker.on("message", (message: "ready" | number[]) => {
          if (message !== "ready") resolve(message);
          else if (++ready === 4) allReady();
        });
        worker.on("error", reject);
      });
    const workers = [run(false), run(true), run(false), run(false)];
    await started;
    const work = new Function(`${WORK} return work;`)() as (addon: unknown, resizes: boolean) => number[];
    const here = work(native(), false);
    const results = [here, ...(await Promise.all(workers))];
    const first = here[0]!;
    expect(Number.isFinite(first)).toBe(true);
    for (const sums of results) expect(new Set(sums)).toEqual(new Set([first]));
  }, 120_000);
});
