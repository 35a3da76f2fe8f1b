import type { BenchCase } from "./bench-result.js";

/** Cases by name; each is loaded only when it is run. */
export const benchCases: Readonly<Record<string, () => Promise<BenchCase>>> = {};
