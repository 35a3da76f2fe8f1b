import { filter, map, type Observable, tap } from "rxjs";
import { expect, test } from "vitest";
import { Random } from "../../src/core/random.js";
import {
  batchOf,
  broadcast,
  fanOut,
  listed,
  mapAsync,
  type Position,
  prefetch,
  type Run,
  run,
  shuffle,
  skipWhen,
  source,
  to,
  via,
  zipStages,
} from "../../src/streams/index.js";

/** `npm run fuzz` is the long run, of a quarter of an hour; `VOXSTREAM_FUZZ=5000` sets the number of graphs, `VOXSTREAM_FUZZ_FROM=20000` the first seed, `VOXSTREAM_FUZZ_SEED=17` tries one. */
const isLong = process.env.npm_lifecycle_event === "fuzz";
const GRAPHS = Number(process.env.VOXSTREAM_FUZZ ?? (isLong ? 20_000 : 300));
const FROM = Number(process.env.VOXSTREAM_FUZZ_FROM ?? 0);
const ONLY = process.env.VOXSTREAM_FUZZ_SEED;

/** A value with counted memory: at the end of every run nobody may hold one. */
class Box {
  holders = 0;
  isFreed = false;
  constructor(
    readonly v: unknown,
    private readonly all: Set<Box>,
  ) {
    all.add(this);
  }
  retain(): this {
    if (this.isFreed) throw new Error("retain after release");
    this.holders++;
    return this;
  }
  release(): void {
    if (this.isFreed) throw new Error("release after release");
    if (--this.holders > 0) return;
    this.isFreed = true;
    this.all.delete(this);
  }
}

type Flow = Observable<Box>;

/** One step, on a stream and on the plain arrays of each epoch. */
interface Step {
  readonly stream: (flow: Flow, slow: number) => Flow;
  readonly array: (values: unknown[], epoch: number) => unknown[];
}

const wait = (ms: number): Promise<void> =>
  ms === 0 ? Promise.resolve() : new Promise((resolve) => (ms < 0.5 ? setImmediate(resolve) : setTimeout(resolve, ms)));

function plan(seed: number) {
  const random = new Random("fuzz", seed);
  const int = (low: number, high: number): number => random.integer(low, high);
  const pick = <T>(...choices: T[]): T => choices[int(0, choices.length - 1)]!;
  const late = (slow: number): Promise<void> => wait(random.next() * slow);
  const boxes = new Set<Box>();
  const box = (v: unknown): Box => new Box(v, boxes);
  const caps = new Map<string, number>();
  const steps: Step[] = [];
  const kinds: string[] = [];
  const length = int(0, 40);
  const epochs = int(1, 3);
  /** What the steps so far make of each epoch. */
  const arrays = (): unknown[][] =>
    Array.from({ length: epochs }, (_, epoch) =>
      steps.reduce(
        (values, step) => step.array(values, epoch),
        Array.from({ length }, (_, i): unknown => `${epoch}:${i}`),
      ),
    );
  const depth = int(1, 7);
  for (let d = 0; d < depth; d++) {
    const name = `s${d}`;
    const kind = pick("async", "async", "fan", "fanAsync", "filter", "skip", "map", "batch", "prefetch", "shuffle", "via", "diamond");
    const concurrency = int(1, 5);
    const capacity = concurrency + int(0, 4);
    kinds.push(kind);
    switch (kind) {
      case "async":
        caps.set(name, capacity);
        steps.push({
          stream: (flow, slow) =>
            flow.pipe(
              mapAsync(
                async ({ v }) => {
                  await late(slow);
                  return box(v);
                },
                { name, concurrency, capacity },
              ),
            ),
          array: (x) => x,
        });
        break;
      case "fan": {
        const n = int(0, 4);
        caps.set(name, 1);
        steps.push({
          stream: (flow) =>
            flow.pipe(
              fanOut(
                function* ({ v }) {
                  for (let i = 0; i < n; i++) yield box([v, i]);
                },
                { name },
              ),
            ),
          array: (x) => x.flatMap((v) => Array.from({ length: n }, (_, i) => [v, i])),
        });
        break;
      }
      case "fanAsync": {
        const n = int(0, 3);
        caps.set(name, 1);
        steps.push({
          stream: (flow, slow) =>
            flow.pipe(
              fanOut(
                async function* ({ v }) {
                  for (let i = 0; i < n; i++) {
                    await late(slow);
                    yield box([v, i]);
                  }
                },
                { name },
              ),
            ),
          array: (x) => x.flatMap((v) => Array.from({ length: n }, (_, i) => [v, i])),
        });
        break;
      }
      case "filter": {
        const m = int(2, 4);
        const keep = (v: unknown): boolean => JSON.stringify(v).length % m !== 0;
        steps.push({ stream: (flow) => flow.pipe(filter(({ v }) => keep(v))), array: (x) => x.filter(keep) });
        break;
      }
      case "skip": {
        const m = int(2, 4);
        const drop = (v: unknown): boolean => JSON.stringify(v).length % m === 1;
        // Epochs of which nothing is left are an error of their own, with a test of its own.
        const isBarren = (values: unknown[]): boolean => values.length > 0 && values.every(drop);
        if (arrays().some(isBarren)) break;
        caps.set(name, 1);
        steps.push({
          stream: (flow) => flow.pipe(skipWhen(({ v }) => (drop(v) ? "unlucky" : undefined), { name })),
          array: (x) => x.filter((v) => !drop(v)),
        });
        break;
      }
      case "map":
        steps.push({ stream: (flow) => flow.pipe(map(({ v }) => box({ v }))), array: (x) => x.map((v) => ({ v })) });
        break;
      case "batch": {
        const size = int(1, 5);
        const last = pick("keep", "keep", "drop");
        caps.set(name, size);
        steps.push({
          stream: (flow) => flow.pipe(batchOf({ size, name, last, collate: (parts) => box(parts.map((part) => part.v)) })),
          array: (x) => chunks(x, size).filter((part) => last === "keep" || part.length === size),
        });
        break;
      }
      case "prefetch":
        caps.set(name, capacity);
        steps.push({ stream: (flow) => flow.pipe(prefetch({ capacity, name })), array: (x) => x });
        break;
      case "shuffle": {
        const window = int(1, 9);
        caps.set(name, 2 * window);
        steps.push({
          stream: (flow) => flow.pipe(shuffle({ window, seed, name })),
          array: (x, epoch) => chunks(x, window).flatMap((part, k) => new Random(seed, name, epoch, k).shuffle([...part]).reverse()),
        });
        break;
      }
      case "via":
        caps.set(name, capacity);
        steps.push({
          stream: (flow) =>
            flow.pipe(
              via(
                map((value) => value),
                { name, capacity },
              ),
            ),
          array: (x) => x,
        });
        break;
      case "diamond":
        caps.set(name, concurrency);
        steps.push({
          stream: (flow, slow) => {
            const [left, right] = broadcast(flow, { branches: 2, capacity: concurrency, name });
            const work = mapAsync(
              async ({ v }: Box) => {
                await late(slow);
                return box(v);
              },
              { name: `${name}left`, concurrency: 2 },
            );
            return zipStages([left!.pipe(work), right!.pipe(prefetch({ capacity: 3, name: `${name}right` }))] as const, { name: `${name}zip` }).pipe(
              map(([a, b]) => {
                expect(a.v).toEqual(b.v);
                return b;
              }),
            );
          },
          array: (x) => x,
        });
        break;
      default:
        kind satisfies never;
    }
  }
  const isListed = pick(false, false, true);
  const build = (slow: number): Flow => {
    async function* listing(): AsyncGenerator<number> {
      for (let i = 0; i < length; i++) {
        await late(slow);
        yield i;
      }
    }
    const make = (i: number, epoch: number): Box => box(`${epoch}:${i}`);
    const first = isListed ? listed("src", { [Symbol.asyncIterator]: listing }, { epochs, make }) : source("src", length, make, { epochs });
    return steps.reduce((flow: Flow, step) => step.stream(flow, slow), first);
  };
  const expected = arrays().flat();
  return {
    build,
    expected,
    caps,
    boxes,
    int,
    pick,
    late,
    title: `seed ${seed}: ${isListed ? "listed " : ""}${kinds.join(" ")}, ${length} items, ${epochs} epochs`,
  };
}

/** The plain meaning of windows and batches, which end with the epoch. */
function chunks(values: unknown[], size: number): unknown[][] {
  const parts: unknown[][] = [];
  for (let i = 0; i < values.length; i += size) parts.push(values.slice(i, i + size));
  return parts;
}

/** A graph in which nothing has moved for 5 s hangs. */
async function orHang(job: Run): Promise<void> {
  let moved = -1;
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const now = job.reports().reduce((sum, report) => sum + report.in + report.out, 0);
      if (now === moved) reject(new Error(`hangs: ${JSON.stringify(job.reports())}`));
      moved = now;
    }, 5000);
  });
  try {
    await Promise.race([job.done, hang]);
  } finally {
    clearInterval(timer);
  }
}

const totals = { runs: 0, resumes: 0, stops: 0, errors: 0 };

async function tryGraph(seed: number): Promise<void> {
  const { build, expected, caps, boxes, int, pick, late } = plan(seed);
  const assertOver = (job: Run): void => {
    expect(job.graph.pending).toBe(0);
    expect(job.graph.nodes.every((node) => node.closed)).toBe(true);
    expect([...boxes].filter((each) => each.holders > 0)).toEqual([]);
    boxes.clear();
  };
  const check = async (from: Position, want: unknown[], slow: number, sinkSlow: number, positions: Position[] = []): Promise<void> => {
    const got: unknown[] = [];
    const sink = to(async ({ v }: Box) => {
      got.push(v);
      if (sinkSlow) await late(sinkSlow);
    });
    const remember = tap((position: Position) => positions.push(JSON.parse(JSON.stringify(position)) as Position));
    const job = run("fuzz", [build(slow).pipe(sink, remember)], { from });
    await orHang(job);
    expect(got).toEqual(want);
    for (const report of job.reports()) if (caps.has(report.name)) expect(report.maxHeld).toBeLessThanOrEqual(caps.get(report.name)!);
    assertOver(job);
    totals.runs++;
  };

  const slow = pick(0, 0.4, 1.5);
  const sinkSlow = pick(0, 0.4, 1.5);
  const positions: Position[] = [{}];
  await check({}, expected, slow, sinkSlow, positions);
  await check({}, expected, sinkSlow, slow);
  for (let k = 0; k < 3 && positions.length > 1; k++) {
    const i = int(0, positions.length - 1);
    await check(positions[i]!, expected.slice(i), 0, 0);
    totals.resumes++;
  }

  // A stop at a random moment.
  const cut = int(0, expected.length);
  let isStopped = false;
  let lateItems = 0;
  let n = 0;
  const job = run("stop", [
    build(slow).pipe(
      to(async () => {
        if (isStopped) lateItems++;
        if (n++ === cut) queueMicrotask(() => void job.stop());
        await late(sinkSlow);
      }),
    ),
  ]);
  await Promise.race([job.done, wait(30)]);
  await job.stop();
  isStopped = true;
  await wait(1);
  expect(lateItems).toBe(0);
  assertOver(job);
  totals.stops++;

  // An error at a random item.
  if (expected.length === 0) return;
  const at = int(0, expected.length - 1);
  const got: unknown[] = [];
  let k = 0;
  const breaking = mapAsync(
    async (value: Box) => {
      if (k++ === at) throw new Error("boom");
      return value;
    },
    { name: "breaking" },
  );
  const failing = run("error", [
    build(slow).pipe(
      breaking,
      to(({ v }: Box) => {
        got.push(v);
      }),
    ),
  ]);
  await expect(failing.done).rejects.toThrow(/boom/);
  expect(got).toEqual(expected.slice(0, at));
  assertOver(failing);
  totals.errors++;
}

test(`${GRAPHS} random graphs behave as plain arrays, resume exactly, stop cleanly and fail in order`, {
  timeout: 1000 * Math.max(120, GRAPHS),
}, async () => {
  const seeds = ONLY === undefined ? Array.from({ length: GRAPHS }, (_, i) => FROM + i) : [Number(ONLY)];
  const left = seeds.values();
  // Most of the time goes into waiting, so several graphs run side by side.
  const worker = async (): Promise<void> => {
    for (const seed of left) {
      try {
        await tryGraph(seed);
      } catch (error) {
        throw new Error(`${plan(seed).title}\n${(error as Error).message}`, { cause: error });
      }
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  console.log(`${totals.runs} runs equal to arrays, ${totals.resumes} exact resumes, ${totals.stops} clean stops, ${totals.errors} ordered errors`);
  expect(totals.stops).toBe(seeds.length);
});
