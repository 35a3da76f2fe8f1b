import type { BenchResult } from "./bench-result.js";

/** Times `work` over several runs after a warm-up; `setup` makes fresh inputs outside the timed part. */
export async function measure<T>(
  name: string,
  shape: string,
  runs: number,
  work: (input: T) => unknown,
  setup: () => T | Promise<T>,
  amount: { readonly bytes?: number; readonly flops?: number } = {},
): Promise<BenchResult> {
  const times: number[] = [];
  for (let run = -1; run < runs; run++) {
    const input = await setup();
    const start = performance.now();
    await work(input);
    if (run >= 0) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const middle = times.length >> 1;
  const medianMs = times.length % 2 === 1 ? times[middle]! : (times[middle - 1]! + times[middle]!) / 2;
  return { name, shape, medianMs, minMs: times[0]!, runs, ...amount };
}
