import { parentPort, workerData } from "node:worker_threads";
import { errorToWire } from "../core/errors.js";
import type { DashboardMessage } from "./dashboard-thread.js";
import { type StartDashboardOptions, startDashboard } from "./start-dashboard.js";

const port = parentPort!;
const send = (message: DashboardMessage) => port.postMessage(message);

try {
  const dashboard = await startDashboard(workerData as StartDashboardOptions);
  port.once("message", async () => {
    await dashboard.close();
    port.close();
  });
  send({ url: dashboard.url });
} catch (error) {
  send({ error: errorToWire(error) });
}
