/** What a task gets beside its payload. */
export interface TaskContext {
  /** Whether the task should give up now. Long loops ask between slices of a few milliseconds; each call also tells the pool that the task is alive. */
  stop(): boolean;
}

/**
 * Work for another thread: a function of plain data. Large arrays travel as views over SharedArrayBuffers, so they are written in place and not copied.
 */
// biome-ignore lint/suspicious/noExplicitAny: every task has its own payload type, and callers reach it only by name
export type Task = (payload: any, context: TaskContext) => unknown;
