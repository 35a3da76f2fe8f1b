import type { Graph } from "./graph.js";
import type { ItemIdentity } from "./item.js";
import { Skipped } from "./skipped.js";

/** What asynchronous work gets beside its value. */
export interface WorkContext extends ItemIdentity {
  /** Aborted when the run stops. Of this item alone, so listeners die with it. */
  readonly signal: AbortSignal;
  readonly graph: Graph;
  /** Leaves the item out and counts it, with a reason. */
  skip(reason: string): never;
}

/** A class, not a literal: an object with a getter made per item is several times slower. */
export class Work implements WorkContext {
  private controller: AbortController | undefined;

  constructor(
    readonly id: string,
    readonly epoch: number,
    readonly graph: Graph,
    private readonly live: Set<AbortController>,
  ) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      this.live.add(this.controller);
    }
    return this.controller.signal;
  }

  skip(reason: string): never {
    throw new Skipped(reason);
  }

  end(): void {
    if (this.controller) this.live.delete(this.controller);
  }
}
