import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { RunCommand } from "../../core/run-events.js";
import { ERROR_ANSWERS } from "../answer-schemas.js";
import { appendRequest } from "../files/append-request.js";
import { httpError } from "../http-error.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

interface ControlBody {
  readonly command: RunCommand;
  readonly session: number;
}

const body = {
  type: "object",
  required: ["command", "session"],
  properties: {
    command: { type: "string", enum: ["pause", "resume", "stop", "checkpoint", "samples"] },
    session: { type: "number", description: "t of the run's start event: a request never reaches a session that begins later." },
  },
  additionalProperties: false,
} as const;

/**
 * `POST /api/runs/:run/control`: asks the running training for something, through `control.jsonl` in its folder. The answer comes as a `control` event of the
 * run with the same id, when the training has done it: after its current step.
 */
export function controlRun(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary:
      "Asks a running training to pause, resume, stop after its step, take a checkpoint, or show the samples of its next step. Needs the token.",
    params: runParams,
    body,
    response: {
      202: {
        description: "Asked; a control event of the run with this id tells that it was done.",
        content: {
          "application/json": { schema: { type: "object", required: ["id"], properties: { id: { type: "string" } }, additionalProperties: false } },
        },
      },
      ...ERROR_ANSWERS,
      409: { description: "The run is over, has begun another session, or its folder cannot be written.", content: ERROR_ANSWERS[400].content },
    },
  };
  const config = { isControl: true, rateLimit: { max: 60, timeWindow: "1 minute" } };
  server.post<{ Params: RunParams; Body: ControlBody }>("/api/runs/:run/control", { schema, config }, async (request, reply) => {
    const { folder, record } = findRun(context, request.params);
    const { command, session } = request.body;
    const { start, end } = record;
    if (!start || end) throw httpError(409, "dashboard", "run must be in training to be told something");
    if (start.t !== session) throw httpError(409, "dashboard", "session must be the run's current one; load the run anew");
    const id = randomUUID();
    await appendRequest(folder, { t: Date.now(), id, session, command });
    reply.header("cache-control", "no-store");
    return reply.code(202).send({ id });
  });
}
