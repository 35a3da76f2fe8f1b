import type { FastifyInstance } from "fastify";
import { findCaseVolume, type VolumeKind } from "../find-case-volume.js";
import { httpError } from "../http-error.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";
import { sendPath } from "../send-path.js";

interface VolumeParams extends RunParams {
  readonly case: string;
  readonly volume: VolumeKind;
}

const params = {
  ...runParams,
  required: ["run", "case", "volume"],
  properties: {
    ...runParams.properties,
    case: { type: "string", minLength: 1, maxLength: 240 },
    volume: { type: "string", enum: ["image", "label", "prediction"] },
  },
} as const;

/** `GET /api/runs/:run/cases/:case/:volume`: the NIfTI file of a predicted case: prediction, or image and label map from the allowed data folders. */
export function sendVolume(server: FastifyInstance, context: RouteContext): void {
  server.get<{ Params: VolumeParams }>("/api/runs/:run/cases/:case/:volume", { schema: { params } }, async (request, reply) => {
    const run = findRun(context, request.params);
    const { case: id, volume } = request.params;
    // Only cases of this run: the data folders may hold patients that nobody was meant to see here.
    const isPredicted = (await findCaseVolume("prediction", id, run.folder, [])) !== undefined;
    const found = isPredicted ? await findCaseVolume(volume, id, run.folder, context.data) : undefined;
    if (!found) throw httpError(404, "dashboard", "case and volume must be of the run's list of cases");
    return sendPath(request, reply, found.path, found.isGzip ? "application/gzip" : "application/octet-stream");
  });
}
