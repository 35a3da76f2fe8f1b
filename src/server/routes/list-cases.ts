import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import { findCaseVolume, type VolumeKind } from "../cases/find-case-volume.js";
import { type KeptEpoch, keptEpochs } from "../cases/kept-epochs.js";
import { recordedSources } from "../cases/recorded-sources.js";
import { type CaseRole, runCases } from "../cases/run-cases.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

/** A case of the run, and which of its volumes can be shown. */
export interface RunCase {
  readonly id: string;
  readonly role: CaseRole;
  readonly volumes: Readonly<Partial<Record<VolumeKind, { readonly bytes: number; readonly isGzip: boolean }>>>;
  /** Epochs after which a prediction of the whole case was kept, oldest first. */
  readonly epochs: readonly KeptEpoch[];
}

const MOST_CASES = 500;
const KINDS = ["image", "label", "prediction"] as const;
const ROLES: readonly CaseRole[] = ["predicted", "validation", "training"];

/** `GET /api/runs/:run/cases`: the cases of the run of which there is something to show, with the sizes of their volumes. */
export function listCases(server: FastifyInstance, context: RouteContext): void {
  const volume = {
    type: "object",
    required: ["bytes", "isGzip"],
    properties: { bytes: { type: "integer" }, isGzip: { type: "boolean" } },
    additionalProperties: false,
  };
  const item = {
    type: "object",
    required: ["id", "role", "volumes", "epochs"],
    properties: {
      id: { type: "string" },
      role: { type: "string", enum: ROLES },
      volumes: { type: "object", properties: { image: volume, label: volume, prediction: volume }, additionalProperties: false },
      epochs: {
        type: "array",
        items: {
          type: "object",
          required: ["epoch", "bytes"],
          properties: { epoch: { type: "integer" }, bytes: { type: "integer" } },
          additionalProperties: false,
        },
      },
    },
    additionalProperties: false,
  };
  const schema = {
    summary: "The cases of the run of which there is something to show, at most 500, predicted ones first, with the sizes of their volumes.",
    params: runParams,
    response: jsonAnswer("The cases.", { cases: { type: "array", items: item }, hasData: { type: "boolean" } }),
  };
  server.get<{ Params: RunParams }>("/api/runs/:run/cases", { schema }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const run = findRun(context, request.params);
    const roles = await runCases(run.folder);
    const hasData = context.data.length > 0 || context.cases.size > 0 || (await recordedSources(run.folder)).size > 0;
    const all = [...roles].sort((a, b) => ROLES.indexOf(a[1]) - ROLES.indexOf(b[1])).slice(0, MOST_CASES);
    const kept = await keptEpochs(run.folder);
    const cases: RunCase[] = [];
    for (const [id, role] of all) {
      const epochs = kept.get(id) ?? [];
      if (role !== "predicted" && epochs.length === 0 && !hasData) continue;
      const found = await Promise.all(KINDS.map((kind) => findCaseVolume(kind, id, run.folder, context)));
      const volumes = KINDS.flatMap((kind, i) => (found[i] ? [[kind, { bytes: found[i].bytes, isGzip: found[i].isGzip }] as const] : []));
      // A prediction that is a link out of the folder is none of the run's.
      if (epochs.length > 0 || (role === "predicted" ? found[2] : found[0])) cases.push({ id, role, volumes: Object.fromEntries(volumes), epochs });
    }
    return { cases, hasData };
  });
}
