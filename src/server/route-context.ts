import type {} from "fastify";
import type { CaseSources } from "./cases/find-case-volume.js";
import type { VolumeConverter } from "./cases/volume-converter.js";
import { httpError } from "./http-error.js";
import type { RunCatalog } from "./live/run-catalog.js";
import type { WatchedRun } from "./live/watched-run.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route changes something. */
    readonly isControl?: boolean;
  }
  interface FastifyRequest {
    /** Whether the sender has shown the token. */
    isTrusted: boolean;
  }
}

/** What every route is given. */
export interface RouteContext extends CaseSources {
  readonly catalog: RunCatalog;
  /** Whether runs can be controlled by those who know the token. */
  readonly hasToken: boolean;
  /** Writes volumes of other formats as NIfTI. */
  readonly converter: VolumeConverter;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
}

/** Parameters of all routes below `/api/runs/:run`. */
export interface RunParams {
  readonly run: string;
}

export const runParams = {
  type: "object",
  required: ["run"],
  properties: { run: { type: "string", minLength: 1, maxLength: 450 } },
} as const;

/** Parameters of all routes below `/api/runs/:run/cases/:case`. */
export interface CaseParams extends RunParams {
  readonly case: string;
}

/** The schema of those parameters, with one more that takes one of a few values. */
export function caseParams(name: string, values: readonly string[]) {
  return {
    type: "object",
    required: ["run", "case", name],
    properties: { ...runParams.properties, case: { type: "string", minLength: 1, maxLength: 240 }, [name]: { type: "string", enum: values } },
  } as const;
}

/** The run of a request. The name is looked up among the runs that were found on disk and never becomes part of a path. */
export function findRun({ catalog }: RouteContext, { run }: RunParams): WatchedRun {
  const found = catalog.get(run);
  if (!found) throw httpError(404, "dashboard", "run must be one of the list at /api/runs");
  return found;
}
