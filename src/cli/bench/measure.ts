import type { BenchResult } from "./bench-result.js";

/** Workers that measure the same rows at the same time. */
export interface Meeting {
  /** How often one of them has come to a row. */
  readonly met: Int32Array;
  readonly count: number;
}

let meeting: Meeting | undefined;
let rows = 0;

/** From here on the runs of each row begin when all workers have come to it. */
export function meetBefore(others: Meeting): void {
  meeting = others;
}

function meet({ met, count }: Meeting): void {
  rows++;
  Atomics.add(met, 0, 1);
  Atomics.notify(met, 0);
  for (let seen = Atomics.load(met, 0); seen < rows * count; seen = Atomics.load(met, 0)) Atomics.wait(met, 0, seen);
}

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
    if (run === 0 && meeting) meet(meeting);
    const start = performance.now();
    await work(input);
    if (run >= 0) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const middle = times.length >> 1;
  const medianMs = times.length % 2 === 1 ? times[middle]! : (times[middle - 1]! + times[middle]!) / 2;
  return { name, shape, medianMs, minMs: times[0]!, runs, ...amount };
}
