import type { Observable } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { release } from "../../core/retain.js";
import type { Item } from "../item.js";
import { node } from "../node.js";
import type { Position } from "../position.js";
import type { StageOptions } from "../stage-options.js";

/**
 * One item of each flow at a time, as a tuple; ends with the shortest. Identity is that of the first flow.
 *
 * @throws `ERR_OPTION`; in the run what one of the flows throws
 * @example
 * zipStages([samples, source("numbers", 2, (index) => index)] as const)
 */
export function zipStages<T extends readonly unknown[]>(
  flows: { readonly [K in keyof T]: Observable<T[K]> },
  { name = "zip", ...unknown }: StageOptions = {},
): Observable<T> {
  requireKnownOptions("zipStages", unknown, ["name"]);
  requireOption(Array.isArray(flows) && flows.length > 0, name, "flows", "a list of flows", flows);
  return node<unknown, T>({ name, from: flows as readonly Observable<unknown>[] }, (self) => {
    const queues: Item<unknown>[][] = flows.map(() => []);
    return {
      room: (inlet) => queues[inlet]!.length < 1,
      push: (item, inlet) => {
        queues[inlet]!.push(item);
      },
      ready: () => queues.every((queue) => queue.length > 0),
      pull: () => {
        const parts = queues.map((queue) => queue.shift()!);
        const at: Position = Object.assign({}, ...parts.map((part) => part.at));
        // One part of each flow, in the order of the tuple type.
        return { value: parts.map((part) => part.value) as unknown as T, id: parts[0]!.id, epoch: parts[0]!.epoch, at };
      },
      size: () => Math.max(0, ...queues.map((queue) => queue.length)),
      done: () => queues.some((queue, inlet) => queue.length === 0 && self.inletEnded(inlet)),
      dispose: () => {
        for (const queue of queues) for (const item of queue) release(item.value);
      },
    };
  })[0]!;
}
