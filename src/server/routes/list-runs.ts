import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import type { RouteContext } from "../route-context.js";

/** `GET /api/runs`: one line per run, latest first. */
export function listRuns(server: FastifyInstance, { catalog }: RouteContext): void {
  const schema = {
    summary: "All runs and folds, latest first.",
    response: jsonAnswer("The runs.", { runs: { type: "array", items: { $ref: "RunSummary#" } } }),
  };
  server.get("/api/runs", { schema }, async (_request, reply) => {
    reply.header("cache-control", "no-store");
    return { runs: catalog.list(Date.now()) };
  });
}
