import { fileURLToPath } from "node:url";
import { isMainThread, Worker } from "node:worker_threads";
import type { BenchCase, BenchOptions, BenchResult } from "./bench-result.js";
import type { BenchWorkerData } from "./bench-worker.js";

/**
 * A case of single-threaded kernels: with one thread it runs here, and again in one and in two workers to show how it scales; with more it runs in as many
 * workers at once. Times in workers are those of one item, so half the time means twice the throughput.
 */
export function benchInWorkers(name: string, run: BenchCase, { scales = true }: { readonly scales?: boolean } = {}): BenchCase {
  return async (options) => {
    const { threads, note } = options;
    if (threads > 1) return inWorkers(name, threads, options);
    const results = [...(await run(options))];
    // A worker is asked for its own rows only.
    if (!isMainThread || !scales) return results;
    for (const workers of [1, 2]) {
      note(`${workers} ${workers === 1 ? "worker" : "workers"}`);
      const rows = await inWorkers(name, workers, options);
      results.push(...rows.map((row) => ({ ...row, name: `${row.name}/workers-${workers}` })));
    }
    return results;
  };
}

async function inWorkers(name: string, count: number, options: BenchOptions): Promise<readonly BenchResult[]> {
  const met = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const all = await Promise.all(Array.from({ length: count }, () => inWorker(name, options, { met, count })));
  return all[0]!.map((result, i) => {
    const mean = (field: "medianMs" | "minMs") => all.reduce((sum, results) => sum + results[i]![field], 0) / count / count;
    return { ...result, medianMs: mean("medianMs"), minMs: mean("minMs") };
  });
}

function inWorker(name: string, { note: _, ...options }: BenchOptions, meeting: BenchWorkerData["meeting"]): Promise<readonly BenchResult[]> {
  // Worker threads cannot load TypeScript: from the sources the transpiled copy runs.
  const entry = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "../../../dist/cli/bench/bench-worker.js" : "./bench-worker.js", import.meta.url),
  );
  const workerData: BenchWorkerData = { name, options: { ...options, threads: 1 }, meeting };
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry, { workerData });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
