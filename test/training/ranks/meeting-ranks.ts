import type { Json } from "../../../src/core/json.js";
import type { Ranks } from "../../../src/training/index.js";
import { rankMessage } from "../../../src/training/ranks/rank-message.js";
import { isSharedError } from "../../../src/training/ranks/together.js";

/** Ranks within one process, which meet as those of MPI do. `ended` has the ranks that left with an error of their own. */
export function meetingRanks(size: number): { readonly ranks: readonly Ranks[]; readonly ended: readonly number[] } {
  const ended: number[] = [];
  let arrived: unknown[] = [];
  let open: (values: readonly unknown[]) => void = () => {};
  let meeting = new Promise<readonly unknown[]>((resolve) => {
    open = resolve;
  });
  const meet = async <T>(rank: number, value: T): Promise<readonly T[]> => {
    const mine = meeting;
    arrived[rank] = value;
    if (Object.keys(arrived).length === size) {
      const [values, whole] = [arrived, open];
      arrived = [];
      meeting = new Promise((resolve) => {
        open = resolve;
      });
      whole(values);
    }
    return (await mine) as readonly T[];
  };
  const ranks = Array.from({ length: size }, (_, rank): Ranks => {
    return {
      rank,
      size,
      gather: async <T extends Json>(value: T) => (await meet(rank, rankMessage.encode(value))).map((text) => rankMessage.decode<T>(text)),
      sum: async (values) => {
        const all = await meet(rank, values.slice());
        for (let i = 0; i < values.length; i++) values[i] = all.reduce((sum, other) => Math.fround(sum + other[i]!), 0);
      },
      enter: () => {},
      leave: (error) => {
        if (error !== undefined && !isSharedError(error)) ended.push(rank);
      },
    };
  });
  return { ranks, ended };
}
