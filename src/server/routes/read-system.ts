import { cpus, freemem, hostname, loadavg, totalmem } from "node:os";
import type { FastifyInstance } from "fastify";
import { readGpus } from "../../core/read-gpus.js";
import type { GpuReport } from "../../core/run-events.js";
import { jsonAnswer } from "../answer-schemas.js";
import type { RouteContext } from "../route-context.js";

/** What the page shows about the machine and the process that serve it. */
export interface SystemState {
  readonly host: string;
  readonly cpu: string;
  readonly cores: number;
  readonly load: number;
  readonly memoryBytes: number;
  readonly memoryInUse: number;
  readonly serverBytes: number;
  readonly node: string;
  readonly upSeconds: number;
  readonly gpus: readonly GpuReport[];
}

const GPU_MS = 5000;
const number = { type: "number" };
const text = { type: "string" };

/** `GET /api/system`: the machine and process of the dashboard. */
export function readSystem(server: FastifyInstance, _context: RouteContext): void {
  const schema = {
    summary: "The machine and the process of this dashboard.",
    response: jsonAnswer("The machine.", {
      ...{ host: text, cpu: text, cores: number, load: number, memoryBytes: number, memoryInUse: number, serverBytes: number },
      ...{ node: text, upSeconds: number, gpus: { type: "array", items: { $ref: "Gpu#" } } },
    }),
  };
  let gpus: Promise<readonly GpuReport[] | undefined> | undefined;
  let askedAt = 0;
  server.get("/api/system", { schema }, async (_request, reply): Promise<SystemState> => {
    reply.header("cache-control", "no-store");
    // Starting nvidia-smi costs more than all the rest: many viewers share one answer.
    if (!gpus || Date.now() - askedAt > GPU_MS) {
      askedAt = Date.now();
      gpus = readGpus();
    }
    const [cpu] = cpus();
    return {
      host: hostname(),
      cpu: cpu?.model.trim() ?? "unknown",
      cores: cpus().length,
      load: loadavg()[0]!,
      memoryBytes: totalmem(),
      memoryInUse: totalmem() - freemem(),
      serverBytes: process.memoryUsage.rss(),
      node: process.version,
      upSeconds: process.uptime(),
      gpus: (await gpus) ?? [],
    };
  });
}
