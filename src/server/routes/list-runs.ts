import type { FastifyInstance } from "fastify";
import type { RouteContext } from "../route-context.js";

/** `GET /api/runs`: one line per run, latest first. */
export function listRuns(server: FastifyInstance, { catalog }: RouteContext): void {
  server.get("/api/runs", async (_request, reply) => {
    reply.header("cache-control", "no-store");
    return { runs: catalog.list(Date.now()) };
  });
}
