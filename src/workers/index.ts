export * from "./create-task-pool.js";
export * from "./task.js";
export * from "./tasks/module-task.js";
