import type { Observable } from "rxjs";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { type RunOptions, run } from "./run.js";
import { to } from "./to.js";

export interface IterateOptions extends RunOptions {
  readonly name?: string;
}

/**
 * Consumes a flow with `for await`; leaving the loop stops it. A value's memory is released when the next one is asked for.
 *
 * @example
 * for await (const batch of iterate(batches, { context })) console.log(batch.image.shape);
 */
export async function* iterate<T>(flow: Observable<T>, { name = "iterate", ...options }: IterateOptions = {}): AsyncGenerator<T, void, undefined> {
  requireKnownOptions("iterate", options, ["name", "from", "signal", "context", "onSkip", "patience"]);
  requireOption(
    typeof (flow as Partial<Observable<T>> | undefined)?.subscribe === "function",
    name,
    "flow",
    "an Observable, such as cases.pipe(…)",
    flow,
  );
  let arrived: { readonly value: T } | undefined;
  let wake: (() => void) | undefined;
  let taken: (() => void) | undefined;
  let isOver = false;
  const consume = (value: T): Promise<void> =>
    new Promise((resolve) => {
      arrived = { value };
      taken = resolve;
      wake?.();
    });
  const job = run(name, [flow.pipe(to(consume))], options);
  const over = (): void => {
    isOver = true;
    wake?.();
  };
  job.done.then(over, over);
  try {
    for (;;) {
      while (!arrived && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (!arrived) {
        await job.done;
        return;
      }
      const { value } = arrived;
      arrived = undefined;
      yield value;
      taken!();
    }
  } finally {
    taken?.();
    await job.stop();
  }
}
