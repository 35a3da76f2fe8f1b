import { readFileSync } from "node:fs";
import { cpus, freemem, totalmem } from "node:os";
import type { RunEvent } from "./run-events.js";

/** A `system` event without its time and cards. */
export type MachineUse = Omit<Extract<RunEvent, { readonly type: "system" }>, "t" | "type" | "gpus">;

/**
 * A meter of this process and its machine: every call tells how many cores the process and what share of all cores the machine kept busy since the last one.
 *
 * @example
 * const meter = machineUse();
 * setInterval(() => console.log(meter().cores), 5000);
 */
export function machineUse(): () => MachineUse {
  let before = { process: process.cpuUsage(), at: performance.now(), ...machineTimes() };
  return () => {
    const now = { process: process.cpuUsage(), at: performance.now(), ...machineTimes() };
    const micros = now.process.user + now.process.system - before.process.user - before.process.system;
    const total = now.total - before.total;
    const threads = threadCount();
    const use: MachineUse = {
      cores: micros / 1000 / Math.max(1, now.at - before.at),
      rssBytes: process.memoryUsage.rss(),
      ...(threads !== undefined && { threads }),
      machineLoad: total > 0 ? Math.min(1, Math.max(0, (now.busy - before.busy) / total)) : 0,
      machineBytes: totalmem() - freemem(),
      machineTotalBytes: totalmem(),
    };
    before = now;
    return use;
  };
}

function machineTimes(): { readonly busy: number; readonly total: number } {
  let [busy, total] = [0, 0];
  for (const { times } of cpus()) {
    const own = times.user + times.nice + times.sys + times.irq;
    busy += own;
    total += own + times.idle;
  }
  return { busy, total };
}

function threadCount(): number | undefined {
  try {
    const found = /^Threads:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"));
    return found ? Number(found[1]) : undefined;
  } catch {
    // Only Linux tells.
    return undefined;
  }
}
