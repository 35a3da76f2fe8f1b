import { VoxError } from "../../core/errors.js";
import type { BatchSource, TrainingBatch } from "./batch-source.js";
import type { WireBatch } from "./graph-messages.js";

/** The way back from a trainer to its graph. */
export interface BatchQueueControl {
  release(batch: number): void;
  close(): Promise<void>;
}

/** Batches that have arrived and are not yet trained on; measures how long the trainer waits for them. */
export class BatchQueue implements BatchSource {
  waitMs = 0;
  private readonly arrived: WireBatch[] = [];
  private isOver = false;
  private isClosed = false;
  private fault: { readonly error: unknown } | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly control: BatchQueueControl) {}

  push(batch: WireBatch): void {
    if (this.isClosed) return;
    this.arrived.push(batch);
    this.wake?.();
  }

  end(): void {
    this.isOver = true;
    this.wake?.();
  }

  fail(error: unknown): void {
    this.fault ??= { error };
    this.wake?.();
  }

  async next(): Promise<TrainingBatch | undefined> {
    if (this.wake) throw new VoxError("one batch must be asked for at a time", { code: "ERR_PROTOCOL", where: "batches" });
    const began = performance.now();
    while (this.arrived.length === 0 && !this.isOver && !this.fault && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
    }
    this.waitMs = performance.now() - began;
    // Batches in front of an error are good: errors keep their place.
    const wire = this.arrived.shift();
    if (!wire) {
      if (this.fault) throw this.fault.error;
      return undefined;
    }
    const { number, image, label, parts, epoch, position } = wire;
    let isHeld = true;
    return {
      image,
      ...(label && { label }),
      parts,
      epoch,
      position,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        if (!this.isClosed) this.control.release(number);
      },
    };
  }

  async close(): Promise<void> {
    if (!this.isClosed) {
      this.isClosed = true;
      this.arrived.length = 0;
      this.wake?.();
    }
    await this.control.close();
  }
}
