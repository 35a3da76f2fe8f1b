import type { MonoTypeOperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { release } from "../../core/retain.js";
import type { Item } from "../item.js";
import { stage } from "../stage.js";
import type { StageOptions } from "../stage-options.js";

/**
 * Leaves out the items for which `reason` gives one, and counts and reports them, which a plain `filter` does not. An `Error` as the reason counts against
 * the skip budget, too.
 *
 * @throws `ERR_OPTION`; in the run `ERR_STAGE` with the item's id when `reason` fails
 * @example
 * samples.pipe(skipWhen(({ label }) => (label ? undefined : "no label"), { name: "labelled" }))
 */
export function skipWhen<A>(
  reason: (value: A) => string | Error | undefined,
  { name = "skipWhen", ...unknown }: StageOptions = {},
): MonoTypeOperatorFunction<A> {
  requireKnownOptions("skipWhen", unknown, ["name"]);
  requireOption(typeof reason === "function", name, "reason", "a function from a value to a reason or undefined", reason);
  return stage<A, A>(name, (node) => {
    let held: Item<A> | undefined;
    return {
      room: () => !held,
      push: (item) => {
        const why = node.timed(() => reason(item.value));
        if (why === undefined) held = item;
        else node.skip(item, why);
      },
      ready: () => held !== undefined,
      pull: () => {
        const item = held;
        held = undefined;
        return item;
      },
      size: () => (held ? 1 : 0),
      dispose: () => {
        if (held) release(held.value);
      },
    };
  });
}
