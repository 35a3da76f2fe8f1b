import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { BenchCase, BenchOptions, BenchResult } from "./bench-result.js";
import type { BenchWorkerData } from "./bench-worker.js";

/**
 * A case of single-threaded kernels: with one thread it runs here, with more in as many workers at once. Times are then those of one item, so half the time
 * of one thread means twice the throughput.
 */
export function benchInWorkers(name: string, run: BenchCase): BenchCase {
  return async (options) => {
    const { threads, note } = options;
    if (threads === 1) return run(options);
    note(`${threads} workers`);
    const all = await Promise.all(Array.from({ length: threads }, () => inWorker(name, options)));
    return all[0]!.map((result, i) => {
      const mean = (field: "medianMs" | "minMs") => all.reduce((sum, results) => sum + results[i]![field], 0) / threads / threads;
      return { ...result, medianMs: mean("medianMs"), minMs: mean("minMs") };
    });
  };
}

function inWorker(name: string, { note: _, ...options }: BenchOptions): Promise<readonly BenchResult[]> {
  // Worker threads cannot load TypeScript: from the sources the transpiled copy runs.
  const entry = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "../../../dist/cli/bench/bench-worker.js" : "./bench-worker.js", import.meta.url),
  );
  const workerData: BenchWorkerData = { name, options: { ...options, threads: 1 } };
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry, { workerData });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
