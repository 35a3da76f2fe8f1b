import { VoxError } from "../core/errors.js";
import type { Task } from "./task.js";
import { tasks } from "./tasks.js";

/** @throws `ERR_WORKER` when no task has that name */
export function findTask(name: string): Task {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (!task) throw new VoxError(`the task must be one of ${Object.keys(tasks).join(", ")}, got ${name}`, { code: "ERR_WORKER", where: "workers" });
  return task;
}
