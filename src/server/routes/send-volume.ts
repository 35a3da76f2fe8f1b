import type { FastifyInstance } from "fastify";
import { ERROR_ANSWERS, fileAnswer } from "../answer-schemas.js";
import { findCaseVolume, type VolumeKind } from "../cases/find-case-volume.js";
import { runCases } from "../cases/run-cases.js";
import { sendPath } from "../files/send-path.js";
import { httpError } from "../http-error.js";
import { type CaseParams, caseParams, findRun, type RouteContext } from "../route-context.js";

interface VolumeParams extends CaseParams {
  readonly volume: VolumeKind;
}

/** `GET /api/runs/:run/cases/:case/:volume`: a case of the run as a NIfTI file: its prediction, or image and label map from where the owner allowed it. */
export function sendVolume(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary:
      "A volume of a case as NIfTI: its prediction, or its image or label map from the folders and files that the owner allowed; other formats are converted.",
    params: caseParams("volume", ["image", "label", "prediction"]),
    response: {
      ...fileAnswer("The file.", "application/gzip", "application/octet-stream"),
      413: { description: "The volume is too large to be converted here.", content: ERROR_ANSWERS[400].content },
      422: { description: "The volume is damaged, or of a kind that cannot be read.", content: ERROR_ANSWERS[400].content },
    },
  };
  server.get<{ Params: VolumeParams }>("/api/runs/:run/cases/:case/:volume", { schema }, async (request, reply) => {
    const run = findRun(context, request.params);
    const { case: id, volume } = request.params;
    const role = (await runCases(run.folder)).get(id);
    // A prediction that is a link out of the folder makes no case of the run's.
    const isOwn = role === "predicted" ? (await findCaseVolume("prediction", id, run.folder)) !== undefined : role !== undefined;
    const found = isOwn ? await findCaseVolume(volume, id, run.folder, context) : undefined;
    if (!found) throw httpError(404, "dashboard", "case and volume must be of the run's list of cases");
    if (found.isForeign && volume !== "prediction") {
      const image = volume === "label" ? await findCaseVolume("image", id, run.folder, context) : undefined;
      return sendPath(request, reply, await context.converter.convert(volume, found, image), "application/gzip");
    }
    return sendPath(request, reply, found.path, found.isGzip ? "application/gzip" : "application/octet-stream");
  });
}
