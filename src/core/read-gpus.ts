import { execFile } from "node:child_process";
import type { GpuReport } from "./run-events.js";

const FIELDS = ["name", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu", "power.draw"] as const;
const MEGABYTE = 1 << 20;
const TIMEOUT_MS = 5000;

/**
 * Load and memory of the NVIDIA cards of this machine; undefined where there is no working `nvidia-smi`.
 *
 * @source nvidia-smi --help-query-gpu: memory in MiB, temperature in °C, power in W, "[N/A]" for what a card does not tell
 * @example
 * const [card] = (await readGpus()) ?? [];
 */
export function readGpus(): Promise<readonly GpuReport[] | undefined> {
  return new Promise((resolve) => {
    execFile(
      "nvidia-smi",
      [`--query-gpu=${FIELDS.join(",")}`, "--format=csv,noheader,nounits"],
      { timeout: TIMEOUT_MS, windowsHide: true, maxBuffer: 1 << 20 },
      (error, output) => resolve(error ? undefined : parseGpus(output)),
    );
  });
}

function parseGpus(output: string): GpuReport[] {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const cells = line.split(",").map((cell) => cell.trim());
      // Names may hold commas, numbers do not.
      const name = cells.slice(0, cells.length - FIELDS.length + 1).join(", ");
      const [load, used, total, celsius, watts] = cells.slice(-(FIELDS.length - 1)).map((cell) => (cell === "" ? Number.NaN : Number(cell)));
      const known = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);
      return {
        name,
        ...(known(load) && { load: load / 100 }),
        ...(known(used) && { memoryBytes: used * MEGABYTE }),
        ...(known(total) && { memoryTotalBytes: total * MEGABYTE }),
        ...(known(celsius) && { celsius }),
        ...(known(watts) && { watts }),
      };
    });
}
