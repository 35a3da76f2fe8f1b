import { map, type Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Random } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import { batch, cases, load, normalize, patch, shuffle, transform } from "../../src/operators/index.js";
import { batchOf, fanOut, mapAsync, run, skipWhen, to } from "../../src/streams/index.js";
import { inPlacePlan, type SampleLayout } from "../../src/workers/steps/step.js";
import { contextOf, refsOf, syntheticCase, syntheticData } from "./run-graph.js";

const BAD = "case_02";
type Place = "read" | "draw" | "step" | "mapAsync" | "map" | "skipWhen" | "fanOut" | "collate" | "trainer";

/** A graph with a fault at one place, for one case; all batches that came out of it. */
async function through(place: Place | undefined, onError: "fail" | "skip") {
  const context = contextOf({ onError });
  const boom = (where: Place, id: string): void => {
    if (where === place && id === BAD) throw new Error(`boom in ${where}`);
  };
  const data = {
    ...syntheticData(5),
    read: async ({ id }: { readonly id: string }) => {
      boom("read", id);
      return syntheticCase(id, [12, 20, 16, 1]);
    },
  };
  // A step of one's own runs on this thread; it knows its case only by the parameters that were drawn for it.
  const step = {
    plan: (layout: SampleLayout) => inPlacePlan(layout),
    apply: ({ params }: { readonly params: { readonly id: string } }) => boom("step", params.id),
  };
  const drawOwn = (_random: Random, { sample }: { readonly sample: Pick<Sample, "id"> }): { readonly id: string } => {
    boom("draw", sample.id);
    return { id: sample.id };
  };
  const all = cases(data, { refs: refsOf(5), order: "sorted" });
  const made = all.pipe(
    load(),
    normalize(),
    transform<{ readonly id: string }>({ name: "own", parameters: {}, draw: drawOwn, step }),
    mapAsync(
      async (sample: Sample) => {
        boom("mapAsync", sample.id);
        return sample;
      },
      { name: "mapAsync" },
    ),
    map((sample) => {
      boom("map", sample.id);
      return sample;
    }),
    skipWhen(
      (sample) => {
        boom("skipWhen", sample.id);
        return undefined;
      },
      { name: "skipWhen" },
    ),
    fanOut(
      function* (sample: Sample) {
        boom("fanOut", sample.id);
        yield sample;
      },
      { name: "fanOut" },
    ),
    batchOf<Sample, Sample>({
      size: 1,
      name: "collate",
      collate: ([sample]) => {
        boom("collate", sample!.id);
        return sample!;
      },
    }),
  ) as Observable<Sample>;
  const seen: string[] = [];
  const flow = made.pipe(
    patch({ size: [4, 8, 8], perCase: 2 }),
    shuffle({ window: 4 }),
    batch({ size: 1 }),
    to(
      ({ parts, image }) => {
        boom("trainer", parts[0]!.id);
        seen.push(`${parts[0]!.id} ${parts[0]!.patch} ${image.data.reduce((a, b) => a + b, 0)}`);
      },
      { name: "trainer" },
    ),
  );
  const job = run("faults", [flow], { context });
  const error = await job.done.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(context.pool.bytesInUse).toBe(0);
  return { seen, error, skipped: job.graph.skipped.map(({ id, message }) => `${id} ${message}`) };
}

describe("an exception", () => {
  it.each(["read", "draw", "step", "mapAsync", "map", "skipWhen", "fanOut", "collate", "trainer"] as const)(
    "in %s ends the run with the case, after the batches in front of it, and gives all memory back",
    async (place) => {
      const whole = await through(undefined, "fail");
      expect(whole.seen.length).toBe(10);
      const { seen, error } = await through(place, "fail");
      expect((error as Error).message).toContain(`boom in ${place}`);
      expect((error as Error).message).toContain(BAD);
      expect(seen).toEqual(whole.seen.slice(0, seen.length));
    },
  );

  it.each(["read", "draw", "step", "mapAsync", "fanOut"] as const)(
    "in %s leaves the case out when asked to, once, and nothing else",
    async (place) => {
      const whole = await through(undefined, "fail");
      const { seen, error, skipped } = await through(place, "skip");
      expect(error).toBeUndefined();
      expect(skipped).toEqual([expect.stringContaining(`boom in ${place}`)]);
      expect([...seen].sort()).toEqual(whole.seen.filter((text) => !text.startsWith(BAD)).sort());
    },
  );
});
