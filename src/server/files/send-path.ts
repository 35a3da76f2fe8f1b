import { open } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { httpError } from "../http-error.js";

/** Answers with a file, or with 304 when the client has this version of it. The path must have been checked. */
export async function sendPath(request: FastifyRequest, reply: FastifyReply, path: string, type: string): Promise<FastifyReply> {
  const handle = await open(path, "r").catch(() => undefined);
  if (!handle) throw httpError(404, "dashboard", "file was deleted or cannot be read");
  const { size, mtimeMs } = await handle.stat();
  const tag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  reply.header("cache-control", "no-cache").header("etag", tag).type(type);
  if (request.headers["if-none-match"] === tag) {
    await handle.close();
    return reply.code(304).send();
  }
  return reply.header("content-length", size).send(handle.createReadStream({ end: Math.max(0, size - 1) }));
}
