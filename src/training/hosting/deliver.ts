import type { OperatorFunction } from "rxjs";
import type { Batch } from "../../core/batch.js";
import { release } from "../../core/retain.js";
import { type Item, type Position, stage } from "../../streams/index.js";
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
    let sent = 0;
    node.knobs = { slots };
    let isCounted = false;
    /** While the trainer holds a batch, the graph waits for outside work and is not stuck. */
    const count = (): void => {
      node.running = Math.min(1, held.size);
      if (held.size > 0 === isCounted) return;
      isCounted = !isCounted;
      if (isCounted) node.graph.begin();
      else node.graph.end();
    };
    onBegin({
      giveBack(number) {
        const item = held.get(number);
        // A batch may be given back after the graph was stopped, which has already released it.
        if (!item) return;
        held.delete(number);
        // Before the pump, which takes the time: from here on the trainer waits.
        node.running = Math.min(1, held.size);
        // The memory may be what the next batch waits for, which then arrives here at once.
        release(item.value);
        node.pump();
        count();
      },
    });
    return {
      room: () => held.size < slots,
      push(item) {
        const number = ++sent;
        const { image, label, parts } = item.value;
        send({
          number,
          image: { data: image.data, shape: image.shape },
          ...(label && { label: { data: label.data, shape: label.shape } }),
          parts,
          epoch: item.epoch,
          position: item.at,
        });
        held.set(number, item);
        count();
      },
      ready: () => false,
      pull: () => undefined,
      size: () => held.size,
      dispose() {
        for (const item of held.values()) release(item.value);
        held.clear();
        count();
      },
    };
  });
}
