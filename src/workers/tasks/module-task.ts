import { VoxError } from "../../core/errors.js";
import type { Task, TaskContext } from "../task.js";

/** A task of the user's own: `export` of the ES module at `url` is called with `(payload, context)`. */
export interface ModuleTaskPayload {
  /** `file:` URL, such as `new URL("../task.js", import.meta.url).href`. */
  readonly url: string;
  readonly export: string;
  readonly payload: unknown;
}

/** The task `"module"`: runs a function of the user's module in the worker. The module is loaded once per thread. */
export async function moduleTask({ url, export: name, payload }: ModuleTaskPayload, context: TaskContext): Promise<unknown> {
  let loaded: Record<string, unknown>;
  try {
    loaded = (await import(url)) as Record<string, unknown>;
  } catch (error) {
    throw new VoxError(`the module ${url} must be loadable, got: ${(error as Error).message}`, {
      code: "ERR_WORKER",
      where: "module task",
      cause: error,
    });
  }
  const task = loaded[name];
  if (typeof task !== "function") {
    throw new VoxError(`export '${name}' of ${url} must be a function, got ${typeof task}`, { code: "ERR_WORKER", where: "module task" });
  }
  return (task as Task)(payload, context);
}
