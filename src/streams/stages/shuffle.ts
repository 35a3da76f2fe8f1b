import type { OperatorFunction } from "rxjs";
import { requireOption, VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { Random } from "../../core/random.js";
import { release } from "../../core/retain.js";
import type { Item } from "../item.js";
import type { Position } from "../position.js";
import { stage } from "../stage.js";
import type { StageOptions } from "../stage-options.js";

export interface ShuffleOptions extends StageOptions {
  /** Items that change places with each other. At most twice as many are held: one window fills while the other drains. */
  readonly window: number;
  /** Default: the run's seed; then the order stays as it is in validation and prediction. */
  readonly seed?: number;
}

/** Epoch, window within the epoch, items of it that were delivered. */
type Place = readonly [epoch: number, window: number, delivered: number];

/**
 * Shuffles inside windows. A window ends with its epoch, and its order depends only on seed, name, epoch and its number in the epoch. A window, and not a
 * reservoir, because a reservoir could be resumed only by replaying everything before.
 *
 * @throws `ERR_OPTION`
 */
export function shuffle<A>({ window, seed, name = "shuffle" }: ShuffleOptions): OperatorFunction<A, A> {
  requireOption(Number.isInteger(window) && window >= 1, name, "window", "an integer >= 1", window);
  return stage<A, A>(name, (node) => {
    const { context } = node.graph;
    if (seed === undefined && !context)
      throw new VoxError("seed must be a number in a run without context, got undefined", { code: "ERR_OPTION", where: node.name });
    const isOn = seed !== undefined || context!.mode === "training";
    const key = seed ?? context!.seed;
    const [epochThere, windowThere, deliveredThere] = node.resume<Place>([-1, 0, 0], isPlace);
    let epoch = epochThere;
    /** Number of the window that drains now or drains next. */
    let number = windowThere;
    let skip = deliveredThere;
    let filling: Item<A>[] = [];
    /** The first item of the next epoch, which told us that the window is over. */
    let next: Item<A> | undefined;
    let draining: Item<A>[] = [];
    let delivered = 0;
    let before: Position = node.graph.from;
    let after: Position = node.graph.from;

    function turnWindow(): void {
      if (draining.length > 0 || filling.length === 0) return;
      if (!(filling.length === window || next || node.ended)) return;
      before = after;
      after = filling.at(-1)!.at;
      if (filling[0]!.epoch !== epoch) {
        epoch = filling[0]!.epoch;
        number = 0;
      }
      draining = isOn ? new Random(key, node.name, epoch, number).shuffle(filling) : filling.reverse();
      filling = next ? [next] : [];
      next = undefined;
      delivered = 0;
    }

    return {
      room: () => !next && filling.length < window,
      push: (item) => {
        if (filling.length > 0 && item.epoch !== filling[0]!.epoch) next = item;
        else filling.push(item);
      },
      ready: () => {
        turnWindow();
        return draining.length > 0;
      },
      pull: () => {
        const item = draining.pop()!;
        delivered++;
        const isLast = draining.length === 0;
        const place: Place = isLast ? [epoch, number + 1, 0] : [epoch, number, delivered];
        if (isLast) number++;
        if (delivered <= skip) {
          release(item.value);
          return undefined;
        }
        skip = 0;
        return { value: item.value, id: item.id, epoch: item.epoch, at: { ...(isLast ? after : before), [node.name]: place } };
      },
      size: () => filling.length + draining.length + (next ? 1 : 0),
      dispose: () => {
        for (const item of [...filling, ...draining]) release(item.value);
        if (next) release(next.value);
      },
    };
  });
}

function isPlace(state: Json): boolean {
  return Array.isArray(state) && state.length === 3 && state.every(Number.isInteger);
}
