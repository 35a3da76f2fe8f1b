import type { Observable } from "rxjs";
import { requireOption, VoxError } from "../../core/errors.js";
import { Random } from "../../core/random.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { release } from "../../core/retain.js";
import type { Item } from "../item.js";
import { node } from "../node.js";
import type { Position } from "../position.js";
import type { StageOptions } from "../stage-options.js";

export interface MixPart<T> {
  readonly from: Observable<T>;
  /** Share of the items, relative to the other parts; > 0. */
  readonly weight: number;
}

export interface MixOptions extends StageOptions {
  /** Default: the run's seed. */
  readonly seed?: number;
  /**
   * "keep": items stay in the epochs of their own flows, between which batches and shuffle windows end; "merge": the mixture is one endless epoch, whose
   * length a training then gives as its steps per epoch. Default "keep".
   */
  readonly epochs?: "keep" | "merge";
}

/**
 * Weighted interleave. Choice n depends only on (seed, name, n), never on which flow is faster. A flow that has ended leaves its share to the others.
 *
 * @throws `ERR_OPTION`
 * @example
 * mix([{ from: samples, weight: 3 }, { from: samples.pipe(normalize()), weight: 1 }], { name: "hospitals" })
 */
export function mix<T>(parts: readonly MixPart<T>[], { seed, name = "mix", epochs = "keep", ...unknown }: MixOptions = {}): Observable<T> {
  requireKnownOptions("mix", unknown, ["seed", "epochs", "name"]);
  requireOption(Array.isArray(parts) && parts.length > 0, name, "parts", "a list of { from, weight }", parts);
  for (const part of parts) requireOption(typeof part === "object" && part !== null, name, "each part", "{ from, weight }", part);
  for (const { weight } of parts) requireOption(Number.isFinite(weight) && weight > 0, name, "weight", "> 0", weight);
  requireOption(epochs === "keep" || epochs === "merge", name, "epochs", '"keep" or "merge"', epochs);
  return node<T, T>({ name, from: parts.map((part) => part.from) }, (self) => {
    const key = seed ?? self.graph.context?.seed;
    if (key === undefined)
      throw new VoxError("seed must be a number in a run without context, got undefined", { code: "ERR_OPTION", where: self.name });
    const queues: Item<T>[][] = parts.map(() => []);
    let count = self.resume(0, (state) => Number.isInteger(state) && (state as number) >= 0);
    let at: Position = self.graph.from;
    const isOver = (inlet: number): boolean => self.inletEnded(inlet) && queues[inlet]!.length === 0;

    /** The flow of the next item; -1 when all are over. */
    function choose(): number {
      const weights = parts.map((part, inlet) => (isOver(inlet) ? 0 : part.weight));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      if (total === 0) return -1;
      let left = new Random(key!, self.name, count).next() * total;
      let chosen = -1;
      // The last one with a weight, should rounding leave a rest.
      for (let inlet = 0; inlet < weights.length; inlet++) {
        if (weights[inlet] === 0) continue;
        chosen = inlet;
        left -= weights[inlet]!;
        if (left < 0) break;
      }
      return chosen;
    }

    return {
      room: (inlet) => queues[inlet]!.length < 1,
      push: (item, inlet) => {
        queues[inlet]!.push(item);
      },
      // Every flow must have shown its next item or its end, else the choice would depend on their speeds.
      ready: () => queues.every((queue, inlet) => queue.length > 0 || self.inletEnded(inlet)) && choose() >= 0,
      pull: () => {
        const item = queues[choose()]!.shift()!;
        count++;
        at = { ...at, ...item.at, [self.name]: count };
        return { value: item.value, id: item.id, epoch: epochs === "merge" ? 0 : item.epoch, at };
      },
      size: () => Math.max(0, ...queues.map((queue) => queue.length)),
      done: () => parts.every((_, inlet) => isOver(inlet)),
      dispose: () => {
        for (const queue of queues) for (const item of queue) release(item.value);
      },
    };
  })[0]!;
}
