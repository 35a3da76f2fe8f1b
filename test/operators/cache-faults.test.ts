import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Observable, take } from "rxjs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type CaseStore, closeCaseStores, openCaseStore, verifyCache } from "../../src/cache/index.js";
import type { CaseRef, DataSet } from "../../src/core/case.js";
import type { RunContext } from "../../src/core/run-context.js";
import { writePhantoms } from "../../src/io/index.js";
import { batch, cached, cases, clip, load, normalize, patch, shuffle } from "../../src/operators/index.js";
import { type Position, run, to } from "../../src/streams/index.js";
import { contextOf } from "./run-graph.js";

/** `VOXSTREAM_LONG=1` kills 50 times; `VOXSTREAM_KILLS=200 npx vitest run test/operators/cache-faults.test.ts` for a longer look. */
const KILLS = Number(process.env.VOXSTREAM_KILLS ?? (process.env.VOXSTREAM_LONG ? 50 : 20));
const root = mkdtempSync(join(tmpdir(), "voxstream-cache-faults-"));
const data = join(root, "data");
let count = 0;
const folder = () => join(root, `cache-${count++}`);
const child = fileURLToPath(new URL("./fixtures/cache-batches.mjs", import.meta.url));

beforeAll(async () => {
  await writePhantoms({ folder: data, cases: 4, shape: [24, 64, 64], seed: 5 });
});
afterEach(() => closeCaseStores());
afterAll(() => rmSync(root, { recursive: true }));

const refsIn = (path: string): CaseRef[] =>
  [0, 1, 2, 3].map((k) => ({
    id: `case_0000${k}`,
    images: [join(path, `case_0000${k}`, "imaging.nii.gz")],
    label: join(path, `case_0000${k}`, "segmentation.nii.gz"),
  }));
const set: DataSet = { classes: ["background", "kidney", "tumor"], channels: 1, list: async () => [] };

interface Outcome {
  readonly batches: readonly string[];
  readonly position: Position;
  readonly skipped: readonly string[];
  readonly error: unknown;
}

interface BatchesOptions {
  readonly path?: string;
  readonly from?: Position;
  readonly onError?: RunContext["onError"];
  /** Whole cases: `"batch"` right behind the cache, `"clip"` through a further operator. */
  readonly whole?: "batch" | "clip";
  readonly onBatch?: (number: number) => void;
  readonly stopAfter?: number;
}

/** All batches of two epochs, as text; with a `cache` folder or without. */
async function batches(
  cache: string | undefined,
  { path = data, from = {}, onError = "fail", whole, onBatch, stopAfter = Number.POSITIVE_INFINITY }: BatchesOptions = {},
): Promise<Outcome> {
  const context = contextOf({ onError });
  const all = cases(set, { refs: refsIn(path), epochs: 2 });
  const made = cache === undefined ? all.pipe(load(), normalize()) : all.pipe(cached(load(), normalize(), { folder: cache }));
  const flow =
    whole === "batch"
      ? made.pipe(batch({ size: 2 }))
      : whole === "clip"
        ? made.pipe(clip({ min: -1, max: 1 }), batch({ size: 2 }))
        : made.pipe(patch({ size: [8, 24, 24], perCase: 2, foreground: 0.5 }), shuffle({ window: 4 }), batch({ size: 2 }));
  const seen: string[] = [];
  const sink = to<{ image: { data: Float32Array }; label?: { data: Uint8Array | Uint16Array }; parts: unknown }>(({ image, label, parts }) => {
    seen.push(
      JSON.stringify([parts, image.data.reduce((a, b) => a + b, 0), image.data[999], (label!.data as Uint8Array).reduce((a, b) => a + b, 0)]),
    );
    onBatch?.(seen.length);
  });
  // Batches of operators have these fields.
  const job = run("faults", [(flow as Observable<never>).pipe(take(stopAfter), sink)], { context, from });
  const error = await job.done.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(context.pool.bytesInUse).toBe(0);
  return { batches: seen, position: job.position, skipped: job.graph.skipped.map(({ id, stage, epoch }) => `${epoch} ${id} ${stage}`), error };
}

interface Database {
  getKeys(range: unknown): Iterable<(string | number)[]>;
  getBinary(key: unknown): Buffer;
  putSync(key: unknown, value: Buffer): void;
  removeSync(key: unknown): void;
}
const databaseOf = (store: CaseStore): Database => (store as unknown as { database: Database }).database;

/** Damages the first chunk of each array of each case, in three ways in turn. Returns how many. */
function damage(path: string): number {
  const database = databaseOf(openCaseStore(path));
  let number = 0;
  for (const key of [...database.getKeys({ start: ["chunk"], end: ["chunk", "\uffff"] })]) {
    if (key[3] !== 0) continue;
    const bytes = Buffer.from(database.getBinary(key));
    const way = number++ % 3;
    if (way === 0) database.putSync(key, bytes.subarray(0, bytes.length / 2));
    else if (way === 1) database.removeSync(key);
    else {
      bytes[bytes.length >> 1]! ^= 0x10;
      database.putSync(key, bytes);
    }
  }
  return number;
}

/** Warnings while `action` runs. */
async function warnings(action: () => Promise<void>): Promise<string[]> {
  const heard: string[] = [];
  const listen = ({ message }: Error): void => void heard.push(message);
  process.on("warning", listen);
  await action();
  await sleep(5);
  process.removeListener("warning", listen);
  return heard;
}

describe("damage in the cache", () => {
  it.each([undefined, "batch", "clip"] as const)("of cases that a run uses (%s) is made good, and the batches are the same", async (whole) => {
    const plain = await batches(undefined, { ...(whole && { whole }) });
    const path = folder();
    await batches(path, { ...(whole && { whole }) });
    await closeCaseStores();
    expect(damage(path)).toBe(8);
    const heard = await warnings(async () => {
      expect(await batches(path, { ...(whole && { whole }) })).toEqual(plain);
    });
    expect(heard.filter((message) => /held a damaged copy of case case_0000\d; it has been made again/.test(message)).length).toBe(4);
    expect(await verifyCache(path)).toEqual([]);
  });

  it("that comes while the run goes on is made good, too", async () => {
    const plain = await batches(undefined);
    const path = folder();
    let damaged = 0;
    const outcome = await batches(path, {
      onBatch: (number) => {
        // Chunks that were read before are cut short, which is seen at any time.
        if (number === 3) damaged = damage(path);
      },
    });
    expect(damaged).toBeGreaterThan(0);
    expect(outcome).toEqual(plain);
  });

  it("of a commit record makes the case anew", async () => {
    const plain = await batches(undefined);
    const path = folder();
    await batches(path);
    const database = databaseOf(openCaseStore(path));
    for (const key of [...database.getKeys({ start: ["case"], end: ["case", "\uffff"] })].slice(0, 2)) {
      database.putSync(key, Buffer.from(database.getBinary(key)).subarray(0, 40));
    }
    await closeCaseStores();
    expect(await batches(path)).toEqual(plain);
    expect([...openCaseStore(path).cases()].length).toBe(4);
  });

  it("whose source is gone is an error with the case, and left out when asked to go on", async () => {
    const copy = join(root, "gone");
    cpSync(data, copy, { recursive: true });
    const path = folder();
    let isGone = false;
    const remove = (number: number): void => {
      if (number !== 2 || isGone) return;
      isGone = true;
      for (const { images } of refsIn(copy)) unlinkSync(images[0]!);
      damage(path);
    };
    const { error, batches: seen } = await batches(path, { path: copy, onBatch: remove });
    expect(error).toMatchObject({ code: "ERR_READ", sampleId: expect.stringMatching(/^case_0000\d/) });
    const whole = await batches(undefined);
    expect(whole.batches.slice(0, seen.length)).toEqual(seen);
  });
});

describe("a full disk", () => {
  it.each(["MDB_MAP_FULL: Environment mapsize limit reached", "ENOSPC: no space left on device"])(
    "(%s) lets the run go on with the same batches",
    async (message) => {
      const plain = await batches(undefined);
      const path = folder();
      const store = openCaseStore(path) as unknown as { put: (action: () => void) => void };
      const put = store.put.bind(store);
      let puts = 0;
      store.put = (action) => {
        // Some notes and the first case find room.
        if (++puts > 12) throw new Error(message);
        put(action);
      };
      const heard = await warnings(async () => {
        expect(await batches(path)).toEqual(plain);
      });
      expect(
        heard.filter((text) => /must be writable, got .*full disk.*; cases that are not there yet are made again every time/.test(text)).length,
      ).toBe(1);
      await closeCaseStores();
      expect(await verifyCache(path)).toEqual([]);
      expect(await batches(path)).toEqual(plain);
    },
  );

  it("in earnest (a limit on file size) lets the run go on with the same batches", async () => {
    const plain = await ended(["-", "0", "2"]);
    const limited = await ended([folder(), "0", "2"], 1024);
    expect(limited).toMatchObject({ code: 0, stdout: plain.stdout });
    expect(limited.stderr).toContain("most likely a full disk");
  });
});

describe("a process that is killed while it caches", () => {
  it(`${KILLS} times leaves only whole cases, and later runs give the batches of runs without cache`, {
    timeout: 240_000 + 20_000 * KILLS,
  }, async () => {
    const path = folder();
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const { process: victim, isReady, hasEnded } = start([path, String(3 * kill), "Infinity"]);
      await isReady;
      await sleep(Math.random() * 250);
      victim.kill("SIGKILL");
      if ((await hasEnded).signal === "SIGKILL") killed++;
    }
    expect(killed).toBe(KILLS);
    const store = openCaseStore(path);
    for (const { key } of store.cases()) expect(store.damage(key)).toBe(0);
    store.removeRemains(0);
    // One line per round: every case of every batch, none lost and none twice, or the digest differs.
    const rounds = [path, "0", String(Math.min(3 * KILLS, 24))] as const;
    const cachedRounds = await ended(rounds);
    expect(cachedRounds).toMatchObject({ code: 0, stderr: "" });
    expect(cachedRounds.stdout).toBe((await ended(["-", rounds[1], rounds[2]])).stdout);
  });

  it("and resumes at any position with the rest of the batches", async () => {
    const plain = await batches(undefined);
    for (const stopAfter of [1, 3, 6]) {
      const path = folder();
      const first = await batches(path, { stopAfter });
      await closeCaseStores();
      damage(path);
      const rest = await batches(path, { from: JSON.parse(JSON.stringify(first.position)) as Position });
      expect([...first.batches, ...rest.batches]).toEqual(plain.batches);
    }
  });
});

describe("a file that is removed while the run goes on", () => {
  it("is an error with the case after the good batches, or left out and reported", async () => {
    const plain = await batches(undefined);
    for (const onError of ["fail", "skip"] as const) {
      const copy = join(root, `removed-${onError}`);
      cpSync(data, copy, { recursive: true });
      const lost = refsIn(copy)[2]!;
      const outcome = await batches(undefined, { path: copy, onError, onBatch: (number) => number === 4 && unlinkSync(lost.images[0]!) });
      expect(outcome.batches.slice(0, 4)).toEqual(plain.batches.slice(0, 4));
      if (onError === "fail") expect(outcome.error).toMatchObject({ code: "ERR_READ", sampleId: "case_00002" });
      else {
        expect(outcome.error).toBeUndefined();
        expect(outcome.skipped).toEqual([expect.stringMatching(/^1 case_00002 (headers|load)/)]);
        const parts = outcome.batches.flatMap((text) => (JSON.parse(text) as [{ id: string; epoch: number; patch: number }[]])[0]);
        const names = parts.map(({ id, epoch, patch }) => `${epoch} ${id} ${patch}`);
        expect(new Set(names).size).toBe(names.length);
        expect(names.length).toBe(4 * 2 * 2 - 2);
      }
    }
  });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], fileLimit?: number): { process: ReturnType<typeof spawn>; isReady: Promise<void>; hasEnded: Promise<Ended> } {
  const node = [process.execPath, child, data, ...args];
  const [command, ...rest] = fileLimit === undefined ? node : ["bash", "-c", `ulimit -f ${fileLimit}; exec "$@"`, "bash", ...node];
  const started = spawn(command!, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let ready!: () => void;
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  started.stdout.on("data", (text) => {
    stdout += text;
    ready();
  });
  started.stderr.on("data", (text) => {
    stderr += text;
  });
  const hasEnded = new Promise<Ended>((resolve) =>
    started.on("close", (code, signal) => {
      ready();
      resolve({ code, signal, stdout, stderr });
    }),
  );
  return { process: started, isReady, hasEnded };
}

const ended = (args: readonly string[], fileLimit?: number): Promise<Ended> => start(args, fileLimit).hasEnded;
