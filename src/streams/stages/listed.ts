import type { Observable } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { retain } from "../../core/retain.js";
import { node } from "../node.js";
import { stageError } from "../stage-error.js";
import { itemId } from "./item-id.js";
import { requireEpochs } from "./require-epochs.js";

export interface ListedOptions<T, A> {
  /** How often all items are delivered; `Infinity` for training until told to stop. */
  readonly epochs?: number;
  /** The order of an epoch after the first, as a pure function; default as listed. */
  readonly order?: (items: readonly T[], epoch: number) => readonly T[];
  /** What is delivered for an item; default the item itself. */
  readonly make?: (item: T, epoch: number) => A;
  /** Identity of a value, for messages; default its own `id`, else its index, with the epoch in front when there are several. */
  readonly id?: (value: A) => string;
}

/**
 * A source whose items are still being found: delivers each as the listing yields it, so the first batch does not wait for the last folder. The first epoch has
 * the order of the listing; what it has found is remembered for the epochs after it. The next item is looked for when it is asked for. A resumed run lists
 * again, up to the item where it goes on, so the listing must give the same items in the same order.
 *
 * @throws `ERR_OPTION`; in the run `ERR_STAGE` when the listing fails
 * @example
 * listed("files", await opendir("incoming"), { make: ({ name }) => name, epochs: 2 })
 */
export function listed<T, A = T>(
  name: string,
  listing: AsyncIterable<T>,
  // Without make, A is T.
  { epochs = 1, order = (items) => items, make = (item) => item as unknown as A, id, ...unknown }: ListedOptions<T, A> = {},
): Observable<A> {
  requireKnownOptions("listed", unknown, ["epochs", "order", "make", "id"]);
  requireOption(typeof listing?.[Symbol.asyncIterator] === "function", name, "listing", "an asynchronous iterable", listing);
  requireEpochs(name, epochs);
  return node<never, A>({ name, from: [] }, (self) => {
    let next = self.resume(0, (state) => Number.isInteger(state) && (state as number) >= 0);
    const found: T[] = [];
    let iterator: AsyncIterator<T> | undefined;
    let isLooking = false;
    let isOver = epochs === 0;
    let drawn: { readonly epoch: number; readonly items: readonly T[] } | undefined;
    const isThere = (): boolean => (isOver ? next < found.length * epochs : next < found.length);

    function look(): void {
      isLooking = true;
      iterator ??= listing[Symbol.asyncIterator]();
      void self.work(
        { id: `${found.length}`, epoch: 0 },
        () => iterator!.next(),
        (result) => {
          isLooking = false;
          if (result.done) isOver = true;
          else found.push(result.value);
        },
        (error) => {
          isLooking = false;
          self.fail(error, `${found.length}`);
        },
      );
    }

    function itemAt(index: number, epoch: number): T {
      if (epoch === 0) return found[index]!;
      if (drawn?.epoch !== epoch) drawn = { epoch, items: order(found, epoch) };
      return drawn.items[index]!;
    }

    return {
      room: () => false,
      push: () => {},
      ready: () => {
        if (isThere()) return true;
        if (!isOver && !isLooking) look();
        return false;
      },
      pull: () => {
        const length = isOver ? found.length : Number.POSITIVE_INFINITY;
        const index = next % length;
        const epoch = Math.floor(next / length);
        next++;
        const place = epochs > 1 ? `${epoch}:${index}` : `${index}`;
        let value: A;
        try {
          value = self.timed(() => make(itemAt(index, epoch), epoch));
        } catch (error) {
          throw stageError(error, self.name, place);
        }
        retain(value);
        return { value, id: id?.(value) ?? itemId(value, place), epoch, at: { [self.name]: next } };
      },
      size: () => 0,
      done: () => isOver && !isThere(),
      dispose: () => {
        const { graph } = self;
        if (!iterator?.return) return;
        graph.begin();
        void iterator
          .return()
          .catch((error: unknown) => graph.warn(self.name, error))
          .finally(() => graph.end());
      },
    };
  })[0]!;
}
