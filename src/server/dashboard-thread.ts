import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { errorFromWire, VoxError, type WireError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Dashboard, StartDashboardOptions } from "./start-dashboard.js";

export type DashboardMessage = { readonly url: string } | { readonly error: WireError };

/**
 * `startDashboard` in a thread of its own, so that a training that keeps the main thread busy for seconds does not stall the page.
 * The thread does not keep the process alive.
 *
 * @throws `ERR_OPTION`; what `startDashboard` throws, and `ERR_WORKER` when the thread dies
 * @example
 * const { url, close } = await dashboardThread({ runs: "runs" });
 */
export async function dashboardThread(options: StartDashboardOptions): Promise<Dashboard> {
  requireKnownOptions("dashboardThread", options, ["runs", "host", "port", "token", "controlToken", "data", "cases", "pollMs", "rate"]);
  // Threads run the built copy: Node 20 loads no TypeScript.
  const entry = new URL(import.meta.url.endsWith(".ts") ? "../../dist/server/dashboard-worker.js" : "./dashboard-worker.js", import.meta.url);
  const worker = new Worker(fileURLToPath(entry), { workerData: options, name: "dashboard", resourceLimits: { maxOldGenerationSizeMb: 256 } });
  const url = await new Promise<string>((resolve, reject) => {
    const died = (cause: unknown) =>
      reject(new VoxError("the dashboard's thread died before it was ready", { code: "ERR_WORKER", where: "dashboard", cause }));
    worker.once("error", died);
    worker.once("exit", died);
    worker.once("message", (message: DashboardMessage) => {
      worker.off("error", died);
      worker.off("exit", died);
      // A dashboard that fails later must not take the training with it.
      worker.on("error", (error) => console.error("dashboard:", error));
      if ("url" in message) resolve(message.url);
      else reject(errorFromWire(message.error));
    });
  });
  worker.unref();
  return {
    url,
    close: async () => {
      const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      // Without this a process whose last work is closing would exit before the thread has.
      worker.ref();
      if (worker.threadId === -1) return;
      worker.postMessage("close");
      await exited;
    },
  };
}
