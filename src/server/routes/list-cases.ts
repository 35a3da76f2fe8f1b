import { readdir } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import { containedPath } from "../contained-path.js";
import { findCaseVolume, type VolumeKind } from "../find-case-volume.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

/** A case that was predicted, and which of its volumes can be shown. */
export interface RunCase {
  readonly id: string;
  readonly volumes: Readonly<Partial<Record<VolumeKind, { readonly bytes: number; readonly isGzip: boolean }>>>;
}

const MOST_CASES = 500;
const KINDS = ["image", "label", "prediction"] as const;

/** `GET /api/runs/:run/cases`: the cases that the run has predictions of, with the sizes of their volumes. */
export function listCases(server: FastifyInstance, context: RouteContext): void {
  server.get<{ Params: RunParams }>("/api/runs/:run/cases", { schema: { params: runParams } }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const run = findRun(context, request.params);
    const folder = await containedPath(run.folder, "predictions");
    const names = folder ? (await readdir(folder)).filter((name) => /\.nii(\.gz)?$/.test(name)).sort() : [];
    const ids = [...new Set(names.map((name) => name.replace(/\.nii(\.gz)?$/, "")))].slice(0, MOST_CASES);
    const cases: RunCase[] = [];
    for (const id of ids) {
      const found = await Promise.all(KINDS.map((kind) => findCaseVolume(kind, id, run.folder, context.data)));
      const volumes = KINDS.flatMap((kind, i) => (found[i] ? [[kind, { bytes: found[i].bytes, isGzip: found[i].isGzip }] as const] : []));
      // A prediction that is a link out of the folder is none of the run's.
      if (volumes.some(([kind]) => kind === "prediction")) cases.push({ id, volumes: Object.fromEntries(volumes) });
    }
    return { cases, hasData: context.data.length > 0 };
  });
}
