import type { FastifyInstance } from "fastify";
import type { Json } from "../../core/json.js";
import { jsonAnswer } from "../answer-schemas.js";
import { type ConfusionTables, readConfusion } from "../cases/read-confusion.js";
import { containedPath } from "../files/contained-path.js";
import { parseJson } from "../files/parse-json.js";
import { parseTsv, type Table } from "../files/parse-tsv.js";
import { readText } from "../files/read-text.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

/** What an evaluation has written: the scores of every case and class, their summary, and voxels class against class. */
export interface Evaluation {
  readonly table: Table | null;
  readonly summary: Json;
  readonly confusion: ConfusionTables | null;
}

const MOST_BYTES = 8 << 20;

/** `GET /api/runs/:run/evaluation`: `detailed.tsv` as a table, `summary.json` and `confusion.json` of the run's evaluation, each `null` while it does not exist. */
export function readEvaluation(server: FastifyInstance, context: RouteContext): void {
  const list = (items: object) => ({ type: "array", items });
  const fields = (properties: Readonly<Record<string, object>>, type: string | readonly string[] = "object") => ({
    ...{ type, required: Object.keys(properties), properties, additionalProperties: false },
  });
  const text = { type: "string" };
  const counts = list(list({ type: "number" }));
  const schema = {
    summary:
      "The scores of every case and class, their summary, and voxels by true (row) and predicted (column) class; null while they do not exist.",
    params: runParams,
    response: jsonAnswer("The evaluation.", {
      table: fields({ columns: list(text), rows: list(list(text)) }, ["object", "null"]),
      summary: {},
      confusion: fields({ classes: list(text), confusion: counts, cases: list(fields({ id: text, confusion: counts })) }, ["object", "null"]),
    }),
  };
  server.get<{ Params: RunParams }>("/api/runs/:run/evaluation", { schema }, async (request, reply): Promise<Evaluation> => {
    reply.header("cache-control", "no-store");
    const { folder } = findRun(context, request.params);
    const table = await containedPath(folder, "evaluation", "detailed.tsv");
    const path = await containedPath(folder, "evaluation", "summary.json");
    const summary = path ? (parseJson(await readText(path, MOST_BYTES)) ?? null) : null;
    return {
      table: table ? parseTsv(await readText(table, MOST_BYTES)) : null,
      summary,
      confusion: (await readConfusion(folder, summary)) ?? null,
    };
  });
}
