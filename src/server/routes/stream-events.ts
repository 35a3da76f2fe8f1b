import type { FastifyInstance } from "fastify";
import { ERROR_ANSWERS } from "../answer-schemas.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

interface After {
  readonly after?: string;
}

const query = {
  type: "object",
  properties: { after: { type: "string", maxLength: 64, description: "The anchor of a snapshot, or the id of the last message." } },
  additionalProperties: false,
} as const;

/**
 * `GET /api/runs/:run/events`: the events behind an anchor, then every new one, as server-sent events. A message of type `events` holds a JSON array of them and,
 * as its id, the anchor behind the last, so a client that comes back with `Last-Event-ID` misses none and gets none twice, also after a restart of this server.
 * `reset` says that the file was replaced: load the run anew. `gone` says that the run was deleted.
 */
export function streamEvents(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary: "The events behind an anchor, then every new one, as server-sent events: events (a JSON array; the id is the next anchor), reset, gone.",
    params: runParams,
    querystring: query,
    response: { 200: { description: "The stream.", content: { "text/event-stream": { schema: { type: "string" } } } }, ...ERROR_ANSWERS },
  };
  server.get<{ Params: RunParams; Querystring: After }>("/api/runs/:run/events", { sse: { kind: "only" }, schema }, async (request, reply) => {
    const run = findRun(context, request.params);
    const left = new AbortController();
    reply.sse.onClose(() => left.abort());
    const signal = AbortSignal.any([left.signal, context.closing]);
    let anchor = request.headers["last-event-id"] ?? request.query.after ?? "";
    // Also sends the headers, so that the client knows that it is connected before anything happens.
    await reply.sse.send({ event: "hello", data: "{}", retry: 1000 });
    // After a restart of this server the file is still being read: only then can the anchor be judged.
    while (!run.isCaughtUp && !run.isGone && !signal.aborted) await run.changed(run.version, signal);
    const { generation } = run;
    while (!signal.aborted) {
      const { version } = run;
      const piece = run.isGone || run.generation !== generation ? undefined : await run.linesAfter(String(anchor));
      if (signal.aborted) break;
      if (!piece) {
        await reply.sse.send({ event: run.isGone ? "gone" : "reset", data: "{}" });
        break;
      }
      if (piece.anchor === anchor) {
        await run.changed(version, signal);
        continue;
      }
      anchor = piece.anchor;
      await reply.sse.send({ event: "events", id: anchor, data: `[${piece.lines.join(",").replaceAll("\r", " ")}]` });
    }
  });
}
