import type { Observable } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { retain } from "../../core/retain.js";
import { node } from "../node.js";
import { stageError } from "../stage-error.js";
import { itemId } from "./item-id.js";
import { requireEpochs } from "./require-epochs.js";

export interface SourceOptions<T> {
  /** How often all items are delivered; `Infinity` for training until told to stop. */
  readonly epochs?: number;
  /** Identity of an item, for messages; by default the value's own `id`, else its index, with the epoch in front when there are several. */
  readonly id?: (value: T, index: number, epoch: number) => string;
}

/**
 * Delivers `get(0..length-1, epoch)`, epoch after epoch, one item when the next stage asks. A resumed run starts at its index without touching earlier
 * items, so an order that differs per epoch belongs inside `get`, as a pure function of epoch and index.
 *
 * @throws `ERR_OPTION`
 * @example
 * source("cases", ids.length, (index) => ids[index], { epochs: 2 })
 */
export function source<T>(
  name: string,
  length: number,
  get: (index: number, epoch: number) => T,
  { epochs = 1, id, ...unknown }: SourceOptions<T> = {},
): Observable<T> {
  requireKnownOptions("source", unknown, ["epochs", "id"]);
  requireOption(typeof get === "function", name, "get", "a function from an index to a value", get);
  requireOption(Number.isInteger(length) && length >= 0, name, "length", "an integer >= 0", length);
  requireEpochs(name, epochs);
  const end = length === 0 ? 0 : length * epochs;
  return node<never, T>({ name, from: [] }, (self) => {
    let next = self.resume(0, (state) => Number.isInteger(state) && (state as number) >= 0);
    return {
      room: () => false,
      push: () => {},
      ready: () => next < end,
      pull: () => {
        const index = next % length;
        const epoch = Math.floor(next / length);
        next++;
        const place = epochs > 1 ? `${epoch}:${index}` : `${index}`;
        let value: T;
        try {
          value = self.timed(() => get(index, epoch));
        } catch (error) {
          throw stageError(error, self.name, place);
        }
        retain(value);
        return { value, id: id?.(value, index, epoch) ?? itemId(value, place), epoch, at: { [self.name]: next } };
      },
      size: () => 0,
      done: () => next >= end,
    };
  })[0]!;
}
