import { VoxError } from "../core/errors.js";

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Takes the handlers away. */
  forget(): void;
}

/** Aborted by Ctrl-C or SIGTERM, so that a command puts away what it has begun; a second one ends the process at once. */
export function stopSignal(command: string): StopSignal {
  const controller = new AbortController();
  const handlers = (["SIGINT", "SIGTERM"] as const).map((name) => {
    const handler = (): void => controller.abort(new VoxError(`stopped by ${name}`, { code: "ERR_STOPPED", where: command }));
    process.once(name, handler);
    return [name, handler] as const;
  });
  return {
    signal: controller.signal,
    forget: () => {
      for (const [name, handler] of handlers) process.removeListener(name, handler);
    },
  };
}
