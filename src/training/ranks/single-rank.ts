import type { Ranks } from "./ranks.js";

/** A training of one process: nobody to wait for. */
export const singleRank: Ranks = {
  rank: 0,
  size: 1,
  gather: async (value) => [value],
  sum: async () => {},
  enter: () => {},
  leave: () => {},
};
