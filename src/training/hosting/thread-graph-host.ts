import { Worker } from "node:worker_threads";
import { errorFromWire, VoxError } from "../../core/errors.js";
import { distUrl } from "../dist-url.js";
import { BatchQueue } from "./batch-queue.js";
import type { GraphHost } from "./batch-source.js";
import type { GraphMessages, GraphRequest, GraphSettings, GraphThreadData } from "./graph-messages.js";
import type { GraphHostListener } from "./local-graph-host.js";

interface RemoteSession {
  readonly queue: BatchQueue;
  opened(fault?: unknown): void;
  closed(): void;
}

/**
 * Runs graphs in a thread of their own, which loads the config file again: functions cannot cross threads. Batches come over as views on shared memory.
 *
 * @throws `ERR_CONFIG` and whatever else loading the file throws there
 */
export async function threadGraphHost(configPath: string, settings: GraphSettings, { skip, stages, memory }: GraphHostListener): Promise<GraphHost> {
  const data: GraphThreadData = { configPath, settings };
  const worker = new Worker(distUrl("hosting/graph-thread-worker.js"), { workerData: data, name: "voxstream-graph" });
  const sessions = new Map<number, RemoteSession>();
  let count = 0;
  let hasQuit = false;
  const post = (request: GraphRequest): void => worker.postMessage(request);
  let ready!: { resolve: () => void; reject: (error: unknown) => void };
  const isReady = new Promise<void>((resolve, reject) => {
    ready = { resolve, reject };
  });
  let ended!: () => void;
  const hasEnded = new Promise<void>((resolve) => {
    ended = resolve;
  });

  const failAll = (error: unknown): void => {
    ready.reject(error);
    for (const session of sessions.values()) {
      session.queue.fail(error);
      session.opened(error);
      session.closed();
    }
  };
  worker.on("message", (message: GraphMessages) => {
    if (message.type === "ready") return ready.resolve();
    if (message.type === "bye") return;
    if (message.type === "error" && message.session === undefined) return failAll(errorFromWire(message.error));
    const session = sessions.get(message.session!);
    if (!session) return;
    switch (message.type) {
      case "opened":
        return session.opened();
      case "batch":
        return session.queue.push(message.batch);
      case "end":
        return session.queue.end();
      case "error": {
        const error = errorFromWire(message.error);
        session.opened(error);
        return session.queue.fail(error);
      }
      case "skip":
        return skip(message.note);
      case "stages":
        return stages(message.note);
      case "memory":
        return memory(message.note);
      case "closed":
        return session.closed();
      default:
        message satisfies never;
    }
  });
  worker.on("error", (error) =>
    failAll(new VoxError(`the graph thread failed: ${error.message}`, { code: "ERR_WORKER", where: "graph thread", cause: error })),
  );
  worker.on("exit", (code) => {
    if (!hasQuit)
      failAll(
        new VoxError(`the graph thread must live as long as the training, but it ended with code ${code}`, {
          code: "ERR_WORKER",
          where: "graph thread",
        }),
      );
    ended();
  });

  const close = async (): Promise<void> => {
    hasQuit = true;
    post({ type: "quit" });
    await hasEnded;
  };
  try {
    await isReady;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async open(options) {
      const session = ++count;
      let whenClosed!: () => void;
      const closed = new Promise<void>((resolve) => {
        whenClosed = resolve;
      });
      let isClosing = false;
      const queue = new BatchQueue({
        release: (batch) => post({ type: "release", session, batch }),
        close: async () => {
          if (!isClosing && !hasQuit) post({ type: "close", session });
          isClosing = true;
          if (!hasQuit) await Promise.race([closed, hasEnded]);
          sessions.delete(session);
        },
      });
      await new Promise<void>((resolve, reject) => {
        sessions.set(session, { queue, opened: (fault) => (fault === undefined ? resolve() : reject(fault)), closed: whenClosed });
        post({ type: "open", session, options });
      });
      return queue;
    },
    close,
  };
}
