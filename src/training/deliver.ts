import type { OperatorFunction } from "rxjs";
import type { Batch } from "../core/batch.js";
import { release } from "../core/retain.js";
import { type Item, type Position, stage } from "../streams/index.js";
import type { WireBatch } from "./graph-messages.js";

/** Lets the trainer give a batch back by its number. */
export interface Delivery {
  giveBack(number: number): void;
}

export interface DeliverOptions {
  /** Batches that the trainer may hold at once: the one that it trains on and those that wait for it. */
  readonly slots: number;
  readonly send: (batch: WireBatch) => void;
  /** Called once, when the stage begins. */
  readonly onBegin: (delivery: Delivery) => void;
}

/**
 * The end of a training graph: hands batches to the trainer, never more at once than it has slots for. The memory of a batch stays borrowed until it is
 * given back; the flow is over when the last one is.
 */
export function deliver({ slots, send, onBegin }: DeliverOptions): OperatorFunction<Batch, Position> {
  return stage<Batch, Position>("trainer", (node) => {
    const held = new Map<number, Item<Batch>>();
    let count = 0;
    node.knobs = { slots };
    /** While the trainer holds a batch, the graph waits for outside work and is not stuck. */
    const holdsChanged = (before: number): void => {
      node.running = Math.min(1, held.size);
      if (before === 0 && held.size > 0) node.graph.begin();
      if (before > 0 && held.size === 0) node.graph.end();
    };
    onBegin({
      giveBack(number) {
        const item = held.get(number);
        // A batch may be given back after the graph was stopped, which has already released it.
        if (!item) return;
        const before = held.size;
        held.delete(number);
        release(item.value);
        node.pump();
        holdsChanged(before);
      },
    });
    return {
      room: () => held.size < slots,
      push(item) {
        const number = ++count;
        const { image, label, parts } = item.value;
        send({
          number,
          image: { data: image.data, shape: image.shape },
          ...(label && { label: { data: label.data, shape: label.shape } }),
          parts,
          epoch: item.epoch,
          position: item.at,
        });
        const before = held.size;
        held.set(number, item);
        holdsChanged(before);
      },
      ready: () => false,
      pull: () => undefined,
      size: () => held.size,
      dispose() {
        const before = held.size;
        for (const item of held.values()) release(item.value);
        held.clear();
        holdsChanged(before);
      },
    };
  });
}
