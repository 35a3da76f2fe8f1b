import { Observable, type OperatorFunction } from "rxjs";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { release } from "../core/retain.js";
import type { Item } from "./item.js";
import type { Position } from "./position.js";
import { StageNode } from "./stage-node.js";
import type { StageOptions } from "./stage-options.js";
import type { WorkContext } from "./work-context.js";

/**
 * The end of a flow: an asynchronous consumer, one item at a time. Emits the position reached after each item. The memory of an item is released when the
 * consumer's promise settles.
 *
 * @throws `ERR_OPTION`; in the run `ERR_STAGE` with the item's id when the consumer fails
 * @example
 * batches.pipe(to(async (batch) => console.log(batch.image.shape), { name: "trainer" }))
 */
export function to<A>(
  consume: (value: A, context: WorkContext) => unknown,
  { name = "sink", ...unknown }: StageOptions = {},
): OperatorFunction<A, Position> {
  requireKnownOptions("to", unknown, ["name"]);
  requireOption(typeof consume === "function", name, "consume", "a function of a value", consume);
  return (source) =>
    new Observable<Position>((subscriber) =>
      new StageNode<A, Position>(name, [source], 1, (node) => {
        let isHeld = false;
        let reached: Item<Position> | undefined;
        return {
          room: () => !isHeld && !reached,
          push: (item) => {
            isHeld = true;
            const over = (): void => {
              isHeld = false;
              release(item.value);
            };
            void node.work(
              item,
              (context) => consume(item.value, context),
              () => {
                over();
                reached = { value: item.at, id: item.id, epoch: item.epoch, at: item.at };
              },
              (error) => {
                over();
                node.fail(error, item.id);
              },
            );
          },
          ready: () => reached !== undefined,
          pull: () => {
            const item = reached;
            reached = undefined;
            return item;
          },
          size: () => (isHeld || reached ? 1 : 0),
        };
      }).attach(0, subscriber),
    );
}
