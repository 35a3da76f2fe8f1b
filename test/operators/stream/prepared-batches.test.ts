import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { map, take } from "rxjs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cacheInfo, closeCaseStores, openCaseStore, verifyCache } from "../../../src/cache/index.js";
import type { Batch } from "../../../src/core/batch.js";
import type { CaseRef, DataSet } from "../../../src/core/case.js";
import type { RunContext, TaskRunner } from "../../../src/core/run-context.js";
import type { Sample } from "../../../src/core/sample.js";
import { writePhantoms } from "../../../src/io/index.js";
import { augment, batch, cached, cases, clip, load, normalize, patch, recordOperators, shuffle, skipBlank } from "../../../src/operators/index.js";
import { type Position, run, to } from "../../../src/streams/index.js";
import { inlineTaskPool } from "../../../src/workers/inline-task-pool.js";
import { contextOf } from "../run-graph.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-prepared-"));
let count = 0;
const folder = () => join(root, `cache-${count++}`);
const CASES = 4;
const refs: CaseRef[] = Array.from({ length: CASES }, (_, k) => ({
  id: `case_0000${k}`,
  images: [join(root, "data", `case_0000${k}`, "imaging.nii.gz")],
  label: join(root, "data", `case_0000${k}`, "segmentation.nii.gz"),
}));
const data: DataSet = { classes: ["background", "kidney", "tumor"], channels: 1, list: async () => refs };

beforeAll(async () => {
  await writePhantoms({ folder: join(root, "data"), cases: CASES, shape: [16, 40, 40], seed: 3 });
});
afterEach(() => closeCaseStores());
afterAll(() => rmSync(root, { recursive: true }));

const makers = () =>
  [
    load(),
    clip({ min: -100, max: 300 }),
    normalize(),
    patch({ size: [8, 16, 16], perCase: 3, attempts: 20 }),
    skipBlank(),
    augment({ probability: 1, mirror: true }),
    shuffle<Sample>({ window: 5 }),
    batch({ size: 2 }),
  ] as const;

/** Counts the tasks that read cases. */
function counting(): TaskRunner & { readonly made: () => number } {
  const inner = inlineTaskPool();
  let made = 0;
  return {
    concurrency: 2,
    made: () => made,
    run(task, payload, options) {
      if (task === "runSteps" && (payload as { readonly read?: unknown }).read) made++;
      return inner.run(task, payload, options);
    },
  };
}

interface Options {
  readonly epochs?: number;
  readonly passes?: number;
  readonly quota?: number;
  readonly from?: Position;
  readonly stopAfter?: number;
  readonly mode?: RunContext["mode"];
  readonly seed?: number;
}

/** All batches as text, with the epoch in front; of prepared ones, or (without a folder) on the fly. */
async function batches(
  path: string | undefined,
  { epochs = 3, passes, quota, from = {}, stopAfter = 1e9, mode = "training", seed = 1 }: Options = {},
) {
  const tasks = counting();
  const context = contextOf({ tasks, mode, seed });
  const all = cases(data, { refs, epochs });
  const [a, b, c, d, e, f, g, h] = makers();
  const options = { folder: path ?? "", ...(passes && { passes }), ...(quota && { quota }) };
  const flow = path === undefined ? all.pipe(a, b, c, d, e, f, g, h) : all.pipe(cached(a, b, c, d, e, f, g, h, options));
  const seen: string[] = [];
  const see = ({ image, label, parts }: Batch): void => {
    const names = parts.map(({ id, patch: k, epoch }) => `${epoch} ${id}#${k}`);
    const sum = image.data.reduce((total, x, i) => total + x * ((i % 97) + 1), 0);
    seen.push(JSON.stringify([names, image.shape, sum, (label!.data as Uint8Array).reduce((total, x) => total + x, 0)]));
  };
  const job = run("prepared", [flow.pipe(take(stopAfter), to(see))], { context, from });
  const error = await job.done.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(context.pool.bytesInUse).toBe(0);
  return { seen, error, made: tasks.made(), position: JSON.parse(JSON.stringify(job.position)) as Position };
}

const epochOf = (text: string): number => Number(text.slice(3, text.indexOf(" ")));
const inEpoch = (seen: readonly string[], epoch: number) => seen.filter((text) => epochOf(text) === epoch);
/** The batches without their epochs, in an order of their own. */
const set = (seen: readonly string[]) => seen.map((text) => text.replaceAll(/"\d+ case/g, '"case')).sort();

describe("cached with batch inside", () => {
  it("keeps the batches of the first epoch, and brings them in another order in every further one", async () => {
    const plain = await batches(undefined, { epochs: 1 });
    const path = folder();
    const { seen, made } = await batches(path);
    expect(plain.seen.length).toBe(6);
    expect(inEpoch(seen, 0)).toEqual(plain.seen);
    expect(made).toBe(CASES);
    for (const epoch of [1, 2]) {
      expect(set(inEpoch(seen, epoch))).toEqual(set(plain.seen));
      expect(set(inEpoch(seen, epoch))).toHaveLength(6);
    }
    const order = (epoch: number) => inEpoch(seen, epoch).map((text) => set([text])[0]);
    expect(new Set([0, 1, 2].map((epoch) => order(epoch).join())).size).toBe(3);
    await closeCaseStores();
    const warm = await batches(path);
    expect(warm).toMatchObject({ seen, made: 0 });
    expect(cacheInfo(path).cases).toBe(6);
    expect(await verifyCache(path)).toEqual([]);
  });

  it("with passes keeps so many epochs, each with its own draws, and takes them in turn", async () => {
    const plain = await batches(undefined, { epochs: 2 });
    const { seen, made } = await batches(folder(), { epochs: 5, passes: 2 });
    expect([...inEpoch(seen, 0), ...inEpoch(seen, 1)]).toEqual(plain.seen);
    expect(set(inEpoch(seen, 0))).not.toEqual(set(inEpoch(seen, 1)));
    expect(set(inEpoch(seen, 2))).toEqual(set(inEpoch(seen, 0)));
    expect(set(inEpoch(seen, 3))).toEqual(set(inEpoch(seen, 1)));
    expect(set(inEpoch(seen, 4))).toEqual(set(inEpoch(seen, 0)));
    expect(made).toBe(2 * CASES);
  });

  it("resumes exactly at every batch, with the cache or after its loss, and a stopped preparation goes on where it was", async () => {
    const whole = await batches(folder());
    const path = folder();
    for (const stopAfter of [1, 2, 5, 6, 8, 12, 15]) {
      const cold = folder();
      const first = await batches(cold, { stopAfter });
      await closeCaseStores();
      for (const place of [cold, path, folder()]) {
        const rest = await batches(place, { from: first.position });
        expect([...first.seen, ...rest.seen]).toEqual(whole.seen);
        await closeCaseStores();
      }
    }
    const cold = folder();
    const { made } = await batches(cold, { stopAfter: 3 });
    await closeCaseStores();
    // A case may be read twice: once for the batch before the stop and once for the one behind it; the shuffle window reaches back further.
    expect((await batches(cold)).made).toBeLessThan(CASES + 1);
    expect(made).toBeGreaterThan(0);
  });

  it("makes damaged and lost batches again", async () => {
    const path = folder();
    const { seen } = await batches(path);
    await closeCaseStores();
    const store = openCaseStore(path);
    const { database } = store as unknown as { database: { getBinary(key: unknown): Buffer; putSync(key: unknown, value: Buffer): void } };
    const [one, two] = [...store.cases()].map(({ key }) => key);
    const bytes = Buffer.from(database.getBinary(["chunk", one, "image", 0]));
    bytes[1000]! ^= 4;
    database.putSync(["chunk", one, "image", 0], bytes);
    store.remove(two!);
    expect((await batches(path)).seen).toEqual(seen);
    expect(await verifyCache(path)).toEqual([]);
    expect(cacheInfo(path).cases).toBe(6);
  });

  it("are other batches for another seed, and keep their order in validation", async () => {
    const path = folder();
    const one = await batches(path, { epochs: 1 });
    const other = await batches(path, { epochs: 1, seed: 2 });
    expect(set(other.seen)).not.toEqual(set(one.seen));
    const { seen } = await batches(path, { mode: "validation", epochs: 2 });
    expect(inEpoch(seen, 1).map((text) => set([text])[0])).toEqual(inEpoch(seen, 0).map((text) => set([text])[0]));
  });

  it("that do not fit the quota are an error with the numbers", async () => {
    const { error, seen } = await batches(folder(), { quota: 50_000 });
    expect(error).toMatchObject({
      code: "ERR_CACHE",
      message: expect.stringMatching(/must fit the quota of 48\.8 KB, but after 2 of them .* are in use/),
    });
    expect(seen.length).toBeLessThanOrEqual(2);
  });

  it("is seen as its operators by those who look at the graph", () => {
    const [a, b, c, d, e, f, g, h] = makers();
    const kinds = recordOperators(() => cases(data, { refs }).pipe(cached(a, b, c, d, e, f, g, h))).map((operator) => Object.keys(operator)[0]);
    expect(kinds).toEqual(["prepared", "load", "link", "link", "patch", "link", "shuffle", "batch"]);
  });

  it("is refused around functions of one's own, without load, behind batch, and for flows without epochs", async () => {
    const own = map((sample: Sample) => sample);
    expect(() => cached(load(), own, batch({ size: 2 }))).toThrow(/each operator must be built in/);
    expect(() => cached(clip({ min: 0, max: 1 }) as never, batch({ size: 2 }))).toThrow(/the first operator must be load\(\)/);
    expect(() => cached(load(), batch({ size: 2 }) as never, clip({ min: 0, max: 1 }))).toThrow(/the last operator must be batch/);
    expect(() => cached(load(), batch({ size: 2 }), { passes: 0 })).toThrow(/passes must be a whole number >= 1, got 0/);
    expect(() => cached(load(), { passes: 2 })).toThrow(/passes must be given only with batch/);
    expect(() => cached(load(), batch({ size: 2 }), { image: "int16" })).toThrow(/image must be "float32" with batch/);
    const twice = cases(data, { refs, epochs: 2 }).pipe(map((item) => ({ ...item, epoch: 0 })));
    const flow = twice.pipe(cached(load(), batch({ size: 2 }), { folder: folder() }));
    await expect(run("twice", [flow.pipe(to(() => {}))], { context: contextOf() }).done).rejects.toMatchObject({
      code: "ERR_DATA",
      message: expect.stringMatching(/every case comes once, got case_0000\d twice/),
    });
  });
});
