import type { Position } from "./position.js";

/** Which item something is about. */
export interface ItemIdentity {
  /** Stable from run to run: `case_00003.12` is child 12 of that case. */
  readonly id: string;
  readonly epoch: number;
}

/** A value on its way through a graph. */
export interface Item<T> extends ItemIdentity {
  readonly value: T;
  /** The position reached once this item has been used up: a run resumed there delivers exactly the items after it. */
  readonly at: Position;
}
