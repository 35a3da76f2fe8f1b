import { parentPort, workerData } from "node:worker_threads";
import type { BenchOptions } from "./bench-result.js";
import { benchCases } from "./index.js";
import { type Meeting, meetBefore } from "./measure.js";

/** What `benchInWorkers` hands to each worker. */
export interface BenchWorkerData {
  readonly name: string;
  readonly options: Omit<BenchOptions, "note">;
  /** Where the workers wait for each other before each row. */
  readonly meeting: Meeting;
}

const { name, options, meeting } = workerData as BenchWorkerData;
const run = await benchCases[name]!();
const port = parentPort!;
meetBefore(meeting);
port.postMessage(await run({ ...options, note: () => undefined }));
