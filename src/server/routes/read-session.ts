import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer-schemas.js";
import type { RouteContext } from "../route-context.js";

/** What the sender of a request may do. */
export interface SessionState {
  readonly canControl: boolean;
  /** Whether this dashboard has a token at all: without one nobody can control a run. */
  readonly hasToken: boolean;
}

/** `GET /api/session`: whether the page may offer to control runs. */
export function readSession(server: FastifyInstance, { hasToken }: RouteContext): void {
  const schema = {
    summary: "What the sender may do: control needs the token, even where reading is open to all.",
    response: jsonAnswer("The rights.", { canControl: { type: "boolean" }, hasToken: { type: "boolean" } }),
  };
  server.get("/api/session", { schema }, async ({ isTrusted }, reply): Promise<SessionState> => {
    reply.header("cache-control", "no-store");
    return { canControl: isTrusted, hasToken };
  });
}
