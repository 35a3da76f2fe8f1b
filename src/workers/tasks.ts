import type { Task } from "./task.js";
import { hashFile } from "./tasks/hash-file.js";
import { measureCase } from "./tasks/measure-case.js";
import { measureStep } from "./tasks/measure-step.js";
import { moduleTask } from "./tasks/module-task.js";
import { runSteps } from "./tasks/run-steps.js";

/** All tasks that a worker thread knows, by name. */
export const tasks: Readonly<Record<string, Task>> = {
  hashFile,
  measureCase,
  measureStep,
  module: moduleTask,
  runSteps,
};
