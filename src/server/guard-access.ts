import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import bearerAuth from "@fastify/bearer-auth";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { httpError } from "./http-error.js";

export interface GuardAccessOptions {
  /** Without a token everybody who can reach the address may read, so the server then listens on this machine only. */
  readonly token: string | undefined;
  /** What those must know who want to control a run where reading is open to all; a `token` serves for both. */
  readonly controlToken: string | undefined;
}

/** Wrong tokens that one client may send in a minute. */
const MOST_FAILURES = { max: 20, timeWindow: "1 minute" } as const;

/**
 * Everything but the page's own files, which hold no data and are open, or nobody could type the token. Decided by the route that will answer, never by
 * the address: `/%61pi/runs` is the same route as `/api/runs`. An address without a route is answered with 404 and nothing else.
 */
function isProtected({ routeOptions: { url } }: FastifyRequest): boolean {
  return url !== undefined && url !== "/" && url !== "/*";
}

/**
 * Guards every request: without a token the `Host` header must name this machine, or a foreign page could reach us under its own name (DNS rebinding);
 * requests that a browser makes on behalf of another site are refused; with a token, data needs it as `Authorization: Bearer` or as the cookie that
 * `POST /api/login` sets in exchange (an EventSource cannot send headers, and a token in an address would end up in logs). Routes that change something
 * always need a token, and a browser that shows the cookie must also say that our own page sent the request.
 */
export async function guardAccess(server: FastifyInstance, { token, controlToken }: GuardAccessOptions): Promise<void> {
  server.decorateRequest("isTrusted", false);
  server.addHook("onRequest", async (request) => {
    if (token === undefined && !isLoopbackName(request.headers.host)) {
      throw httpError(403, "dashboard", "the Host header must name this machine (localhost or 127.0.0.1); use a token to serve other names");
    }
    if (isProtected(request) && isForeign(request)) throw httpError(403, "dashboard", "requests from other sites are not answered");
  });
  const key = token ?? controlToken;
  if (key === undefined) {
    server.addHook("onRequest", async ({ routeOptions }) => {
      if (routeOptions.config.isControl) throw httpError(403, "dashboard", "runs are controlled through a dashboard that was started with a token");
    });
    server.post("/api/login", { schema: loginSchema }, async (_request, reply) => reply.code(204).send());
    return;
  }
  const name = `voxstream_${createHash("sha256").update(key).digest("hex").slice(0, 8)}`;
  const session = createHmac("sha256", key).update("voxstream dashboard session").digest("hex");
  await server.register(bearerAuth, { keys: [key], addHook: false });
  const failures = server.createRateLimit(MOST_FAILURES);
  const verify = (request: FastifyRequest, reply: FastifyReply) =>
    new Promise<void>((resolve, reject) => server.verifyBearerAuth!(request, reply, (error) => (error ? reject(unauthorizedError()) : resolve())));
  server.addHook("onRequest", async (request, reply) => {
    if (!isProtected(request)) return;
    const { config, url } = request.routeOptions;
    const isControl = config.isControl === true;
    const cookie = cookieOf(request, name);
    if (cookie !== undefined && isSame(cookie, session)) {
      // Every browser says where a POST comes from; what does not is none, and can send the token itself.
      if (isControl && request.headers.origin === undefined && request.headers["sec-fetch-site"] !== "same-origin")
        throw httpError(403, "dashboard", "requests with a cookie must come from the dashboard's own page");
      request.isTrusted = true;
      return;
    }
    const isNeeded = token !== undefined || isControl || url === "/api/login";
    if (!isNeeded && request.headers.authorization === undefined) return;
    if (isExceeded(await failures(request, { increment: false }))) throw tooManyFailures();
    try {
      await verify(request, reply);
      request.isTrusted = true;
    } catch (error) {
      // Only what was sent as a token counts: a page that has none yet asks without one.
      if (request.headers.authorization !== undefined && isExceeded(await failures(request))) throw tooManyFailures();
      throw error;
    }
  });
  server.post("/api/login", { schema: loginSchema }, async (_request, reply) => {
    reply.header("set-cookie", `${name}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000`);
    return reply.code(204).send();
  });
}

const loginSchema = {
  summary: "Exchanges the token, sent as Authorization: Bearer, for a cookie.",
  response: { 204: { type: "null", description: "The cookie is set." } },
} as const;

function unauthorizedError(): Error {
  return httpError(401, "dashboard", "token must be the one that the dashboard was started with");
}

function tooManyFailures(): Error {
  return httpError(429, "dashboard", "too many wrong tokens; wait a minute");
}

function isExceeded(limit: { readonly isAllowed: boolean; readonly isExceeded?: boolean }): boolean {
  return limit.isExceeded === true;
}

function isLoopbackName(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host.toLowerCase().replace(/:\d+$/, "");
  return name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}

function isForeign({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  // Browsers that send no Sec-Fetch-Site still send Origin on cross-site reads.
  return headers.origin !== undefined && headers.origin.replace(/^https?:\/\//, "") !== headers.host;
}

function cookieOf({ headers }: FastifyRequest, name: string): string | undefined {
  for (const part of (headers.cookie ?? "").split(";")) {
    const equals = part.indexOf("=");
    if (part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
