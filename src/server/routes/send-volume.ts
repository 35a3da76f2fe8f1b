import type { FastifyInstance } from "fastify";
import { fileAnswer } from "../answer-schemas.js";
import { findCaseVolume, type VolumeKind } from "../cases/find-case-volume.js";
import { runCases } from "../cases/run-cases.js";
import { sendPath } from "../files/send-path.js";
import { httpError } from "../http-error.js";
import { type CaseParams, caseParams, findRun, type RouteContext } from "../route-context.js";

interface VolumeParams extends CaseParams {
  readonly volume: VolumeKind;
}

/** `GET /api/runs/:run/cases/:case/:volume`: a NIfTI file of a case of the run: prediction, or image and label map from where the owner allowed it. */
export function sendVolume(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary: "The NIfTI file of a case: its prediction, or its image or label map from the folders and files that the owner allowed.",
    params: caseParams("volume", ["image", "label", "prediction"]),
    response: fileAnswer("The file.", "application/gzip", "application/octet-stream"),
  };
  server.get<{ Params: VolumeParams }>("/api/runs/:run/cases/:case/:volume", { schema }, async (request, reply) => {
    const run = findRun(context, request.params);
    const { case: id, volume } = request.params;
    const role = (await runCases(run.folder)).get(id);
    // A prediction that is a link out of the folder makes no case of the run's.
    const isOwn = role === "predicted" ? (await findCaseVolume("prediction", id, run.folder)) !== undefined : role !== undefined;
    const found = isOwn ? await findCaseVolume(volume, id, run.folder, context) : undefined;
    if (!found) throw httpError(404, "dashboard", "case and volume must be of the run's list of cases");
    return sendPath(request, reply, found.path, found.isGzip ? "application/gzip" : "application/octet-stream");
  });
}
