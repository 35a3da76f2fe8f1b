import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import { fastifySSE } from "@fastify/sse";
import fastifyStatic from "@fastify/static";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import { answerSchemas } from "./answer-schemas.js";
import { guardAccess } from "./guard-access.js";
import type { RouteContext } from "./route-context.js";
import { controlRun } from "./routes/control-run.js";
import { listCases } from "./routes/list-cases.js";
import { listFiles } from "./routes/list-files.js";
import { listRuns } from "./routes/list-runs.js";
import { readEvaluation } from "./routes/read-evaluation.js";
import { readManifest } from "./routes/read-manifest.js";
import { readMetrics } from "./routes/read-metrics.js";
import { readOpenapi } from "./routes/read-openapi.js";
import { readRun } from "./routes/read-run.js";
import { readSeries } from "./routes/read-series.js";
import { readSession } from "./routes/read-session.js";
import { readSystem } from "./routes/read-system.js";
import { sendCurves } from "./routes/send-curves.js";
import { sendEpoch } from "./routes/send-epoch.js";
import { sendFile } from "./routes/send-file.js";
import { sendOverlay } from "./routes/send-overlay.js";
import { sendVolume } from "./routes/send-volume.js";
import { streamEvents } from "./routes/stream-events.js";

const ROUTES = [
  listRuns,
  readRun,
  readSeries,
  sendCurves,
  streamEvents,
  listFiles,
  sendFile,
  listCases,
  sendVolume,
  sendEpoch,
  sendOverlay,
  readManifest,
  readEvaluation,
  controlRun,
  readSession,
  readSystem,
  readMetrics,
  readOpenapi,
];

export interface BuildServerOptions extends RouteContext {
  readonly token: string | undefined;
  readonly controlToken: string | undefined;
  /** Requests per minute and client. */
  readonly rate: number;
}

/** The HTTP server with all its guards and routes, not yet listening. */
export async function buildServer({ token, controlToken, rate, ...context }: BuildServerOptions): Promise<FastifyInstance> {
  const server = Fastify({
    // Nothing is ever uploaded; the largest body is a command of one word.
    bodyLimit: 4096,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    return503OnClosing: true,
    routerOptions: { maxParamLength: 500 },
  });
  server.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    // What went wrong inside may name paths of this machine: it goes to the owner's log, not to the client.
    if (status >= 500) console.error("dashboard:", error);
    reply
      .code(status)
      .send({ error: { code: error.code ?? "ERR_SERVER", message: status >= 500 ? "dashboard: the request failed" : error.message } });
  });
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // data: and blob: name no other host; the volume viewer keeps its font in them.
        imgSrc: ["'self'", "data:", "blob:"],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: "same-origin" },
    referrerPolicy: { policy: "no-referrer" },
    // Served over plain HTTP on one machine; who puts TLS in front sets this there.
    strictTransportSecurity: false,
  });
  await server.register(rateLimit, { max: rate, timeWindow: "1 minute" });
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Voxstream dashboard",
        description: "Reads run folders: curves, stages, volumes, scores; follows them live; and tells a running training to pause, save or stop.",
        version: "1",
      },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer", description: "What the dashboard was started with." } } },
      security: [{}, { token: [] }],
    },
    refResolver: { buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === "string" ? $id : `schema-${i}`) },
  });
  for (const schema of answerSchemas) server.addSchema(schema);
  // The schemas of answers describe; tests compare. Serializing by them would drop what they forget.
  server.setSerializerCompiler(() => JSON.stringify);
  await guardAccess(server, { token, controlToken });
  await server.register(fastifySSE, { heartbeatInterval: 15_000, serializer: String });
  server.setNotFoundHandler({ preHandler: server.rateLimit() }, (_request, reply) =>
    reply.code(404).send({ error: { code: "ERR_SERVER", message: "dashboard: there is nothing at this address" } }),
  );
  for (const route of ROUTES) route(server, context);
  await servePage(server);
  return server;
}

async function servePage(server: FastifyInstance): Promise<void> {
  // In the repository's tests this file runs from src/, the built page always lies in dist/.
  const root = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../dist/server/public" : "./public", import.meta.url));
  if (!existsSync(root)) {
    server.get("/", async (_request, reply) => reply.type("text/plain").send("The dashboard's page is not built. Build it with: npm run build\n"));
    return;
  }
  await server.register(fastifyStatic, {
    root,
    dotfiles: "deny",
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header("cache-control", /[\\/]assets[\\/]/.test(path) ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
}
