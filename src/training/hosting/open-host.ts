import type { TrainingConfig } from "../config/training-config.js";
import type { GraphHost } from "./batch-source.js";
import type { GraphSettings } from "./graph-messages.js";
import { type GraphHostListener, localGraphHost } from "./local-graph-host.js";
import { threadGraphHost } from "./thread-graph-host.js";

/** Runs the graphs of a configuration: of a file in a thread of its own, unless told otherwise; else in this one. */
export async function openHost(
  path: string | undefined,
  config: TrainingConfig,
  settings: GraphSettings,
  thread: boolean | undefined,
  listener: GraphHostListener,
): Promise<GraphHost> {
  return path !== undefined && thread !== false ? threadGraphHost(path, settings, listener) : localGraphHost(config, settings, listener);
}
