import { filter, map, type Observable, type OperatorFunction } from "rxjs";
import { expectTypeOf, test } from "vitest";
import {
  batchOf,
  broadcast,
  deal,
  fanOut,
  iterate,
  mapAsync,
  mix,
  one,
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

interface Patch {
  readonly id: string;
  readonly voxels: Float32Array;
}
const numbers = () => source("s", 3, (index) => index);

test("types flow through pipe without annotations", () => {
  expectTypeOf(numbers()).toEqualTypeOf<Observable<number>>();
  expectTypeOf(numbers().pipe(mapAsync(async (x) => ({ id: `${x}`, voxels: new Float32Array(x) })))).toEqualTypeOf<
    Observable<{ id: string; voxels: Float32Array<ArrayBuffer> }>
  >();
  expectTypeOf(numbers().pipe(mapAsync((x, { id, epoch, signal }) => [x, id, epoch, signal] as const))).toEqualTypeOf<
    Observable<readonly [number, string, number, AbortSignal]>
  >();
  expectTypeOf(
    numbers().pipe(
      fanOut(function* (x) {
        yield `${x}`;
      }),
    ),
  ).toEqualTypeOf<Observable<string>>();
  expectTypeOf(
    numbers().pipe(
      fanOut(async function* (x) {
        yield [x];
      }),
    ),
  ).toEqualTypeOf<Observable<number[]>>();
  expectTypeOf(numbers().pipe(batchOf({ size: 2 }))).toEqualTypeOf<Observable<readonly number[]>>();
  expectTypeOf(numbers().pipe(batchOf({ size: 2, collate: (parts, identities) => [parts.length, identities[0]!.id] as const }))).toEqualTypeOf<
    Observable<readonly [number, string]>
  >();
  expectTypeOf(
    numbers().pipe(
      shuffle({ window: 2 }),
      prefetch({ capacity: 2 }),
      skipWhen((x) => (x > 1 ? "large" : undefined)),
    ),
  ).toEqualTypeOf<Observable<number>>();
  expectTypeOf(
    numbers().pipe(
      filter((x) => x > 0),
      via(map((x) => `${x}`)),
    ),
  ).toEqualTypeOf<Observable<string>>();
});

test("splits and joins keep their types", () => {
  expectTypeOf(broadcast(numbers(), { branches: 2 })).toEqualTypeOf<Observable<number>[]>();
  expectTypeOf(deal(numbers(), { branches: 2 })).toEqualTypeOf<Observable<number>[]>();
  expectTypeOf(zipStages([numbers(), one("a", { id: "a", epoch: 0 })] as const)).toEqualTypeOf<Observable<readonly [number, string]>>();
  expectTypeOf(mix([{ from: numbers(), weight: 1 }], { seed: 1 })).toEqualTypeOf<Observable<number>>();
});

test("a run takes flows that end in a consumer", () => {
  expectTypeOf(numbers().pipe(to((x) => expectTypeOf(x).toEqualTypeOf<number>()))).toEqualTypeOf<Observable<Position>>();
  expectTypeOf(run).parameter(1).toEqualTypeOf<readonly Observable<Position>[]>();
  expectTypeOf<Run["done"]>().toEqualTypeOf<Promise<"completed" | "stopped">>();
  expectTypeOf(iterate(numbers())).toEqualTypeOf<AsyncGenerator<number, void, undefined>>();
  // @ts-expect-error a flow without to() has no position
  void (() => run("t", [numbers()]));
});

test("a stage is an ordinary operator", () => {
  expectTypeOf(mapAsync((x: number): Patch => ({ id: `${x}`, voxels: new Float32Array() }))).toEqualTypeOf<OperatorFunction<number, Patch>>();
  // @ts-expect-error the operator wants strings
  numbers().pipe(mapAsync((x: string) => x));
  // @ts-expect-error bytes sees the stage's own input
  numbers().pipe(mapAsync((x) => x, { bytes: (value: string) => value.length }));
});
