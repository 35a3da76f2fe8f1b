import { machineUse } from "../../core/machine-use.js";
import { readGpus } from "../../core/read-gpus.js";
import type { RunFolder } from "./run-folder.js";

const EVERY_MS = 10_000;
const FIRST_MS = 2_000;

/** Writes what the training and its machine use into the run's events, every ten seconds, until the returned function is called. */
export function reportMachine(folder: RunFolder): () => void {
  const meter = machineUse();
  let isOver = false;
  let hasGpus: boolean | undefined;
  const report = async (): Promise<void> => {
    const gpus = hasGpus === false ? undefined : await readGpus();
    hasGpus ??= gpus !== undefined;
    if (isOver) return;
    try {
      folder.event({ type: "system", ...meter(), ...(gpus && { gpus }) });
    } catch {
      // A disk that is full fails the next step's event too, and there it ends the training in order.
    }
  };
  const first = setTimeout(() => void report(), FIRST_MS).unref();
  const timer = setInterval(() => void report(), EVERY_MS).unref();
  return () => {
    isOver = true;
    clearTimeout(first);
    clearInterval(timer);
  };
}
