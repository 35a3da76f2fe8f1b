import { type OperatorFunction, Subject } from "rxjs";
import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { release, retain } from "../core/retain.js";
import type { Item } from "./item.js";
import { stage } from "./stage.js";
import type { StageOptions } from "./stage-options.js";

export interface ViaOptions extends StageOptions {
  /** Items inside the operator and waiting behind it. */
  readonly capacity?: number;
}

/**
 * Any RxJS operator that answers each item with exactly one item, however late, as a bounded stage. Identities are given in order of arrival. An operator
 * that swallows an item leaves its slot taken: with all slots taken the graph waits for answers that never come.
 *
 * @throws `ERR_OPTION`; in the run `ERR_PROTOCOL` when the operator answers with more or fewer items
 * @example
 * samples.pipe(via(delay(10), { capacity: 2 }))
 */
export function via<A, B>(operator: OperatorFunction<A, B>, { name = "via", capacity = 1, ...unknown }: ViaOptions = {}): OperatorFunction<A, B> {
  requireKnownOptions("via", unknown, ["capacity", "name"]);
  requireOption(typeof operator === "function", name, "operator", "an RxJS operator, such as delay(10)", operator);
  requireOption(Number.isInteger(capacity) && capacity >= 1, name, "capacity", "an integer >= 1", capacity);
  return stage<A, B>(name, (node) => {
    const { graph } = node;
    const inside: Item<A>[] = [];
    const outside: Item<B>[] = [];
    const input = new Subject<A>();
    let isComplete = false;
    const wrongCount = (what: string): VoxError =>
      new VoxError(`the operator must answer each item with exactly one item, but it gave ${what}`, { code: "ERR_PROTOCOL", where: node.name });
    const subscription = input.pipe(operator).subscribe({
      next: (value) => {
        const item = inside.shift();
        if (!item) {
          node.fail(wrongCount("more"));
          return;
        }
        retain(value);
        release(item.value);
        outside.push({ value, id: item.id, epoch: item.epoch, at: item.at });
        node.pump();
        graph.end();
      },
      error: (error) => node.fail(error, inside[0]?.id),
      complete: () => {
        isComplete = true;
        if (inside.length > 0 || !node.ended) node.fail(wrongCount("fewer"), inside[0]?.id);
        else node.pump();
      },
    });
    return {
      room: () => inside.length + outside.length < capacity,
      push: (item) => {
        inside.push(item);
        graph.begin();
        input.next(item.value);
      },
      ready: () => outside.length > 0,
      pull: () => outside.shift(),
      size: () => inside.length + outside.length,
      done: () => {
        // The operator must know that no more comes: it may hold answers back until then.
        if (node.ended && !isComplete) input.complete();
        return isComplete && inside.length + outside.length === 0;
      },
      dispose: () => {
        subscription.unsubscribe();
        for (const item of inside.splice(0)) {
          release(item.value);
          graph.end();
        }
        for (const item of outside.splice(0)) release(item.value);
      },
    };
  });
}
