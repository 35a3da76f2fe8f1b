import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import { containedPath } from "../files/contained-path.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";
import { FILE_FOLDERS, fileType } from "./send-file.js";

export interface RunFile {
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
  readonly modified: number;
}

const MOST_FILES = 2000;

/** `GET /api/runs/:run/files`: the pictures, predictions and tables of a run, by folder and name. */
export function listFiles(server: FastifyInstance, context: RouteContext): void {
  const properties = {
    folder: { type: "string", enum: FILE_FOLDERS },
    name: { type: "string" },
    bytes: { type: "integer" },
    modified: { type: "number" },
  };
  const file = { type: "object", required: Object.keys(properties), properties, additionalProperties: false };
  const schema = {
    summary: "The pictures, predictions, captures of samples and tables of a run.",
    params: runParams,
    response: jsonAnswer("The files, at most 2000.", { files: { type: "array", items: file } }),
  };
  server.get<{ Params: RunParams }>("/api/runs/:run/files", { schema }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const run = findRun(context, request.params);
    const files: RunFile[] = [];
    for (const folder of FILE_FOLDERS) {
      const path = await containedPath(run.folder, folder);
      if (!path) continue;
      for (const name of (await readdir(path)).sort()) {
        if (files.length >= MOST_FILES || fileType(name) === undefined) continue;
        const found = await stat(join(path, name)).catch(() => undefined);
        if (found?.isFile()) files.push({ folder, name, bytes: found.size, modified: found.mtimeMs });
      }
    }
    return { files };
  });
}
