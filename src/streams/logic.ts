import type { Item } from "./item.js";

/**
 * What a stage does: a small state machine. All calls are synchronous and never nested; asynchronous work goes through `node.work` or calls
 * `node.pump()` when it has news.
 */
export interface Logic<A, B> {
  /** May the inlet take one more item? */
  room(inlet: number): boolean;
  /** Takes an item; called only when there is room. A push that throws has not taken it. The node has already retained its memory. */
  push(item: Item<A>, inlet: number): void;
  /** Might the outlet have an item? */
  ready(outlet: number): boolean;
  /**
   * Hands an item over, or `undefined` when there is none after all. Called only when ready and the receiver has room. The node releases its memory
   * afterwards, so a value that the stage has made is retained first.
   */
  pull(outlet: number): Item<B> | undefined;
  /** Items held inside. When it is 0 and all inlets have ended, the stage completes. */
  size(): number;
  /** Replaces that rule. */
  done?(): boolean;
  /** The outlet unsubscribed while others stay. */
  left?(outlet: number): void;
  /** The stage is over: releases what it still holds. */
  dispose?(): void;
}
