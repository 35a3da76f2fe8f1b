import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import { containedPath } from "../files/contained-path.js";
import { parseJson } from "../files/parse-json.js";
import { readText } from "../files/read-text.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

const MOST_BYTES = 4 << 20;

/** `GET /api/runs/:run/manifest`: the run's `manifest.json`; `null` when there is none, or it is half-written. */
export function readManifest(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary: "The run's manifest: configuration, seed, versions, engine, machine, cases; null when there is none, or it is half-written.",
    params: runParams,
    response: jsonAnswer("The manifest.", { manifest: {} }),
  };
  server.get<{ Params: RunParams }>("/api/runs/:run/manifest", { schema }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const path = await containedPath(findRun(context, request.params).folder, "manifest.json");
    return { manifest: path ? (parseJson(await readText(path, MOST_BYTES)) ?? null) : null };
  });
}
