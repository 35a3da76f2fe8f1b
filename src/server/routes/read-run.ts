import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

/** `GET /api/runs/:run`: all that is known about a run, and the anchor from which `events` goes on. */
export function readRun(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary: "All that is known about a run, with its curves, and the anchor from which its events go on.",
    params: runParams,
    response: jsonAnswer("The run.", { summary: { $ref: "RunSummary#" }, anchor: { type: "string" }, record: { $ref: "RunRecord#" } }),
  };
  server.get<{ Params: RunParams }>("/api/runs/:run", { schema }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    return findRun(context, request.params).snapshot(Date.now());
  });
}
