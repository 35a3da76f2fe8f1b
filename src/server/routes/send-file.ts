import type { FastifyInstance } from "fastify";
import { fileAnswer } from "../answer-schemas.js";
import { containedPath } from "../files/contained-path.js";
import { sendPath } from "../files/send-path.js";
import { httpError } from "../http-error.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

/** The folders of a run whose files are shown; checkpoints and logs are not. */
export const FILE_FOLDERS = ["figures", "overlays", "previews", "samples", "predictions", "evaluation"] as const;

const TYPES = [
  [".png", "image/png"],
  [".gif", "image/gif"],
  [".nii.gz", "application/gzip"],
  [".nii", "application/octet-stream"],
  [".tsv", "text/tab-separated-values; charset=utf-8"],
  [".bin", "application/octet-stream"],
  [".json", "application/json; charset=utf-8"],
] as const;

/** The media type of a file that may be sent, undefined for all others. Nothing that a browser would run is among them. */
export function fileType(name: string): string | undefined {
  return TYPES.find(([ending]) => name.toLowerCase().endsWith(ending))?.[1];
}

interface FileParams extends RunParams {
  readonly folder: string;
  readonly file: string;
}

const params = {
  ...runParams,
  required: ["run", "folder", "file"],
  properties: { ...runParams.properties, folder: { type: "string", enum: FILE_FOLDERS }, file: { type: "string", minLength: 1, maxLength: 255 } },
} as const;

/** `GET /api/runs/:run/files/:folder/:file`: one picture, prediction or table. */
export function sendFile(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary: "One picture, prediction, capture of samples or table.",
    params,
    response: fileAnswer("The file.", ...new Set(TYPES.map(([, type]) => type.split(";")[0]!))),
  };
  server.get<{ Params: FileParams }>("/api/runs/:run/files/:folder/:file", { schema }, async (request, reply) => {
    const { folder, file } = request.params;
    const run = findRun(context, request.params);
    const type = fileType(file);
    const path = type === undefined ? undefined : await containedPath(run.folder, folder, file);
    if (!path) throw httpError(404, "dashboard", "file must be one of the run's list of files");
    return sendPath(request, reply, path, type!);
  });
}
