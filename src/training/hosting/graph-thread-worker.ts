// Entry of the graph thread.
import { parentPort, workerData } from "node:worker_threads";
import { errorToWire } from "../../core/errors.js";
import { loadConfig } from "../config/load-config.js";
import type { GraphMessages, GraphRequest, GraphThreadData } from "./graph-messages.js";
import { GraphRunner } from "./graph-runner.js";
import type { GraphSession } from "./graph-session.js";

// Both are there in every worker thread.
const port = parentPort!;
const { configPath, settings } = workerData as GraphThreadData;
const post = (message: GraphMessages): void => port.postMessage(message);
const sessions = new Map<number, Promise<GraphSession>>();

const runner = loadConfig(configPath).then((config) => new GraphRunner(config, settings));
runner.then(
  () => post({ type: "ready" }),
  (error) => post({ type: "error", session: undefined, error: errorToWire(error) }),
);

async function open({ session, options }: Extract<GraphRequest, { type: "open" }>): Promise<GraphSession> {
  return (await runner).open(options, {
    batch: (batch) => post({ type: "batch", session, batch }),
    end: () => post({ type: "end", session }),
    error: (error) => post({ type: "error", session, error: errorToWire(error) }),
    skip: (note) => post({ type: "skip", session, note }),
    stages: (note) => post({ type: "stages", session, note }),
    memory: (note) => post({ type: "memory", session, note }),
  });
}

async function quit(): Promise<void> {
  await runner.then((started) => started.close()).catch(() => {});
  post({ type: "bye" });
  port.close();
}

port.on("message", (request: GraphRequest) => {
  switch (request.type) {
    case "open": {
      const opening = open(request);
      sessions.set(request.session, opening);
      opening.then(
        () => post({ type: "opened", session: request.session }),
        (error) => post({ type: "error", session: request.session, error: errorToWire(error) }),
      );
      return;
    }
    case "release":
      void sessions.get(request.session)?.then((session) => session.release(request.batch));
      return;
    case "close": {
      const session = sessions.get(request.session);
      sessions.delete(request.session);
      const closing = session
        ?.then((opened) => opened.close())
        .catch((error) => post({ type: "error", session: request.session, error: errorToWire(error) }));
      void Promise.resolve(closing).then(() => post({ type: "closed", session: request.session }));
      return;
    }
    case "quit":
      void quit();
      return;
    default:
      request satisfies never;
  }
});
