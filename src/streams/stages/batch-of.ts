import type { OperatorFunction } from "rxjs";
import { formatBytes } from "../../core/bytes.js";
import { requireOption, VoxError } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { release, retain } from "../../core/retain.js";
import type { Item, ItemIdentity } from "../item.js";
import { stage } from "../stage.js";
import { stageError } from "../stage-error.js";
import type { StageOptions } from "../stage-options.js";

/** Epochs in a row that may end without a batch before the first one: a graph without end would never deliver any. */
const BARREN_EPOCHS = 3;

export interface BatchOfOptions<A, B> extends StageOptions {
  readonly size: number;
  /** What happens to the short batch at the end of an epoch. */
  readonly last?: "keep" | "drop";
  /** Makes one value of the parts, which are released afterwards: it copies. Default: the array of the parts. */
  readonly collate?: (parts: readonly A[], identities: readonly ItemIdentity[]) => B;
  /** Bytes of pooled memory that `collate` will allocate; a batch waits until the run's pool has room for them. */
  readonly bytes?: (parts: readonly A[]) => number;
  /** What can be done about an error of `collate`, after which it is called again; undefined when nothing can. */
  readonly recover?: (error: unknown, parts: readonly A[]) => ((signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * N:1. A batch never mixes epochs, so the last one of an epoch may be short.
 *
 * @throws `ERR_OPTION`; `ERR_EMPTY` when all of the first epochs are shorter than a batch, and short ones are dropped
 * @example
 * samples.pipe(batchOf({ size: 2, collate: (parts) => parts.map(({ id }) => id).join("+") }))
 */
export function batchOf<A, B = readonly A[]>({
  size,
  last = "keep",
  name = "batch",
  // Without collate, B is what its default says.
  collate = (parts) => parts as B,
  bytes,
  recover,
  ...unknown
}: BatchOfOptions<A, B>): OperatorFunction<A, B> {
  requireKnownOptions("batchOf", unknown, ["size", "last", "collate", "bytes", "recover", "name"]);
  requireOption(Number.isInteger(size) && size >= 1, name, "size", "an integer >= 1", size);
  requireOption(last === "keep" || last === "drop", name, "last", '"keep" or "drop"', last);
  return stage<A, B>(name, (node) => {
    let parts: Item<A>[] = [];
    /** The first item of the next epoch, which told us that this one is over. */
    let next: Item<A> | undefined;
    let isRecovering = false;
    let recoveries = 0;
    // A graph that is resumed delivered before, and what it drops must be what it drops without an interruption.
    let hasDelivered = Object.keys(node.graph.from).length > 0;
    let barren = 0;
    const isFull = (): boolean => parts.length === size;
    const pool = node.graph.context?.pool;
    function hasMemory(): boolean {
      if (!bytes || !pool) return true;
      const needed = bytes(parts.map((part) => part.value));
      const isThere = pool.ask(needed, node.pump);
      node.waitingFor = isThere
        ? undefined
        : `${formatBytes(needed)} of memory (${formatBytes(pool.bytesInUse)} of ${formatBytes(pool.budget)} are in use)`;
      return isThere;
    }
    return {
      room: () => !next && !isFull() && !isRecovering,
      push: (item) => {
        if (parts.length > 0 && item.epoch !== parts[0]!.epoch) next = item;
        else parts.push(item);
      },
      ready: () => !isRecovering && (isFull() || next !== undefined || (node.ended && parts.length > 0)) && hasMemory(),
      pull: () => {
        const ready = parts;
        const after = next;
        const isShort = !isFull();
        const first = ready[0]!;
        const final = ready.at(-1)!;
        const id = ready.length > 1 ? `${first.id}..${final.id}` : first.id;
        try {
          if (isShort && last === "drop") {
            if (!hasDelivered && ++barren >= BARREN_EPOCHS && after) throw tooFew(node.name, size, ready.length, barren);
            return undefined;
          }
          hasDelivered = true;
          const value = node.timed(() =>
            collate(
              ready.map((part) => part.value),
              ready.map((part) => ({ id: part.id, epoch: part.epoch })),
            ),
          );
          retain(value);
          return { value, id, epoch: first.epoch, at: final.at };
        } catch (error) {
          const again =
            recoveries >= ready.length
              ? undefined
              : recover?.(
                  error,
                  ready.map((part) => part.value),
                );
          if (!again) throw stageError(error, node.name, id);
          recoveries++;
          isRecovering = true;
          void node.work(
            { id, epoch: first.epoch },
            ({ signal }) => again(signal),
            () => {
              isRecovering = false;
            },
            (fault) => {
              if (!node.closed) node.fail(fault, id);
            },
          );
          return undefined;
        } finally {
          if (!isRecovering) {
            recoveries = 0;
            parts = after ? [after] : [];
            next = undefined;
            for (const part of ready) release(part.value);
          }
        }
      },
      size: () => parts.length + (next ? 1 : 0),
      dispose: () => {
        for (const part of parts) release(part.value);
        if (next) release(next.value);
        node.waitingFor = undefined;
      },
    };
  });
}

function tooFew(where: string, size: number, count: number, epochs: number): VoxError {
  return new VoxError(
    `an epoch must have at least one whole batch of ${size}, but ${epochs} in a row had fewer, the last one ${count}; make batches smaller, draw more per case, or keep the short ones`,
    { code: "ERR_EMPTY", where },
  );
}
