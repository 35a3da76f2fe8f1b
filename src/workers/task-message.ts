import type { WireError } from "../core/errors.js";

/** Fields of the shared control block of a running task. */
export const CONTROL = {
  /** Raised by the pool: give up. */
  stop: 0,
  /** Written by the worker when the task begins. */
  thread: 1,
  /** Counted up by the worker whenever the task asks whether to stop. */
  beat: 2,
  /** Written by the worker when the task has returned: a thread that dies after that could not clone the result. */
  returned: 3,
  length: 4,
} as const;

export interface TaskMessage {
  readonly task: string;
  readonly payload: unknown;
  readonly control: Int32Array;
}

/** Results and errors both come back as values: a thrown error would lose its class and code on the way. */
export type TaskAnswer = { readonly result: unknown } | { readonly error: WireError };
