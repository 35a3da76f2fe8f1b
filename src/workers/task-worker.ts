import { threadId } from "node:worker_threads";
import { errorToWire } from "../core/errors.js";
import { findTask } from "./find-task.js";
import { CONTROL, type TaskAnswer, type TaskMessage } from "./task-message.js";

/** Entry of the worker threads. */
export async function taskWorker({ task, payload, control }: TaskMessage): Promise<TaskAnswer> {
  Atomics.store(control, CONTROL.thread, threadId);
  const stop = (): boolean => {
    Atomics.add(control, CONTROL.beat, 1);
    return Atomics.load(control, CONTROL.stop) !== 0;
  };
  try {
    // Stopped while it was waiting for a thread.
    if (stop()) return { result: undefined };
    const result = await findTask(task)(payload, { stop });
    Atomics.store(control, CONTROL.returned, 1);
    return { result };
  } catch (error) {
    return { error: errorToWire(error) };
  }
}
