import type { FastifyInstance } from "fastify";
import { fileAnswer } from "../answer-schemas.js";
import { keptEpochPath } from "../cases/kept-epochs.js";
import { runCases } from "../cases/run-cases.js";
import { sendPath } from "../files/send-path.js";
import { httpError } from "../http-error.js";
import { type CaseParams, caseParams, findRun, type RouteContext } from "../route-context.js";

interface EpochParams extends CaseParams {
  readonly epoch: number;
}

const schema = {
  summary: "The label map that validation has made of a whole case after an epoch, as NIfTI.",
  params: {
    ...caseParams("epoch", []),
    properties: { ...caseParams("epoch", []).properties, epoch: { type: "integer", minimum: 0, maximum: 999_999_999 } },
  },
  response: fileAnswer("The file.", "application/gzip"),
} as const;

/** `GET /api/runs/:run/cases/:case/epochs/:epoch`: what the network made of a whole validation case after an epoch, where that was kept. */
export function sendEpoch(server: FastifyInstance, context: RouteContext): void {
  server.get<{ Params: EpochParams }>("/api/runs/:run/cases/:case/epochs/:epoch", { schema }, async (request, reply) => {
    const { folder } = findRun(context, request.params);
    const { case: id, epoch } = request.params;
    const path = (await runCases(folder)).has(id) ? await keptEpochPath(folder, id, epoch) : undefined;
    if (!path) throw httpError(404, "dashboard", "case and epoch must be of the run's list of cases");
    return sendPath(request, reply, path, "application/gzip");
  });
}
