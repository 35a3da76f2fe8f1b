import type { ItemIdentity } from "./item.js";

/** One item that a stage left out. */
export interface SkipRecord extends ItemIdentity {
  readonly stage: string;
  /** Why, in one sentence. */
  readonly message: string;
  /** The error, when it was one. */
  readonly error?: unknown;
}
