import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import { containedPath } from "../files/contained-path.js";
import { parseJson } from "../files/parse-json.js";
import { parseTsv } from "../files/parse-tsv.js";
import { readText } from "../files/read-text.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

const MOST_BYTES = 8 << 20;

/** `GET /api/runs/:run/evaluation`: `evaluation/detailed.tsv` as a table and `evaluation/summary.json`, each `null` while it does not exist. */
export function readEvaluation(server: FastifyInstance, context: RouteContext): void {
  const cells = { type: "array", items: { type: "string" } };
  const table = {
    type: ["object", "null"],
    required: ["columns", "rows"],
    properties: { columns: cells, rows: { type: "array", items: cells } },
    additionalProperties: false,
  };
  const schema = {
    summary: "The scores of every case and class, and their summary; null while they do not exist.",
    params: runParams,
    response: jsonAnswer("The evaluation.", { table, summary: {} }),
  };
  server.get<{ Params: RunParams }>("/api/runs/:run/evaluation", { schema }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const { folder } = findRun(context, request.params);
    const table = await containedPath(folder, "evaluation", "detailed.tsv");
    const summary = await containedPath(folder, "evaluation", "summary.json");
    return {
      table: table ? parseTsv(await readText(table, MOST_BYTES)) : null,
      summary: summary ? (parseJson(await readText(summary, MOST_BYTES)) ?? null) : null,
    };
  });
}
