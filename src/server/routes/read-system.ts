import { cpus, hostname, loadavg, totalmem } from "node:os";
import type { FastifyInstance } from "fastify";
import type { RouteContext } from "../route-context.js";

/** What the page shows about the machine and the process that serve it. */
export interface SystemState {
  readonly host: string;
  readonly cpu: string;
  readonly cores: number;
  readonly load: number;
  readonly memoryBytes: number;
  readonly serverBytes: number;
  readonly node: string;
  readonly upSeconds: number;
}

/** `GET /api/system`: the machine and process of the dashboard. */
export function readSystem(server: FastifyInstance, _context: RouteContext): void {
  server.get("/api/system", async (_request, reply): Promise<SystemState> => {
    reply.header("cache-control", "no-store");
    const [cpu] = cpus();
    return {
      host: hostname(),
      cpu: cpu?.model.trim() ?? "unknown",
      cores: cpus().length,
      load: loadavg()[0]!,
      memoryBytes: totalmem(),
      serverBytes: process.memoryUsage.rss(),
      node: process.version,
      upSeconds: process.uptime(),
    };
  });
}
