import type { FastifyInstance } from "fastify";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

/** `GET /api/runs/:run`: all that is known about a run, and the anchor from which `events` goes on. */
export function readRun(server: FastifyInstance, context: RouteContext): void {
  server.get<{ Params: RunParams }>("/api/runs/:run", { schema: { params: runParams } }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    return findRun(context, request.params).snapshot(Date.now());
  });
}
