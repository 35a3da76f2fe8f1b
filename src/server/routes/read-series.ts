import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

interface Range {
  readonly from: number;
  readonly to: number;
}

const step = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const range = { type: "object", required: ["from", "to"], properties: { from: step, to: step }, additionalProperties: false } as const;

/** `GET /api/runs/:run/series?from=&to=`: the step curves of a part of the run in fine buckets; `null` when the part is too long to be read again. */
export function readSeries(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary: "The step curves of a part of the run in finer buckets; null when the part is too long to be read again.",
    params: runParams,
    querystring: range,
    response: jsonAnswer("The curves.", { steps: { anyOf: [{ $ref: "Curves#" }, { type: "null" }] } }),
  };
  // Reading a part of the file again is the dearest thing that can be asked for.
  const config = { rateLimit: { max: 120, timeWindow: "1 minute" } };
  server.get<{ Params: RunParams; Querystring: Range }>("/api/runs/:run/series", { schema, config }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const { from, to } = request.query;
    return { steps: (await findRun(context, request.params).detail(from, to)) ?? null };
  });
}
