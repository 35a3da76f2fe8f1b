import { parentPort, workerData } from "node:worker_threads";
import type { BenchOptions } from "./bench-result.js";
import { benchCases } from "./index.js";

/** What `benchInWorkers` hands to each worker. */
export interface BenchWorkerData {
  readonly name: string;
  readonly options: Omit<BenchOptions, "note">;
}

const { name, options } = workerData as BenchWorkerData;
const run = await benchCases[name]!();
const port = parentPort!;
// All workers make their inputs at the same time, so they measure at the same time.
port.postMessage(await run({ ...options, note: () => undefined }));
