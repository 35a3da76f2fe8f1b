import type { FastifyInstance } from "fastify";
import { ERROR_ANSWERS } from "../answer-schemas.js";
import type { RouteContext } from "../route-context.js";

/** `GET /api/openapi.json`: this description, OpenAPI 3.1, made from the schemas that validate the requests. */
export function readOpenapi(server: FastifyInstance, _context: RouteContext): void {
  const schema = {
    summary: "This description.",
    response: { 200: { description: "OpenAPI 3.1.", content: { "application/json": { schema: { type: "object" } } } }, ...ERROR_ANSWERS },
  };
  let text: string | undefined;
  server.get("/api/openapi.json", { schema }, async (_request, reply) => {
    text ??= JSON.stringify(server.swagger());
    return reply.type("application/json; charset=utf-8").send(text);
  });
}
