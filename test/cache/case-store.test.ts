import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { chunkBox, chunkCount, chunkGrid } from "../../src/cache/chunk-grid.js";
import {
  type CaseArrays,
  type CaseRecord,
  CaseStore,
  cacheInfo,
  closeCaseStores,
  listCache,
  openCaseStore,
  pruneCache,
  verifyCache,
} from "../../src/cache/index.js";
import { axisAligned } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-store-"));
let count = 0;
const folder = () => join(root, `store-${count++}`);
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

afterEach(() => closeCaseStores());
afterAll(() => rmSync(root, { recursive: true }));

function arrays(shape: Shape4, seed = 0): Required<CaseArrays> {
  const random = new Random("store", seed);
  const image = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
  const label = Uint8Array.from({ length: image.length / shape[3] }, () => random.integer(0, 3));
  return { image, label };
}

function recordOf(id: string, shape: Shape4): Omit<CaseRecord, "bytes" | "created"> {
  const geometry = axisAligned([2, 1, 1]);
  return {
    id,
    made: "load clip",
    image: { dtype: "float32", shape, geometry, minimum: [-4] },
    label: { dtype: "uint8", shape: [shape[0], shape[1], shape[2], 1], geometry, minimum: [0] },
    history: [],
  };
}

/** The box of an array, voxel by voxel. */
function boxOf(data: Float32Array, shape: Shape4, start: Triple, size: Triple): Float32Array {
  const out = new Float32Array(size[0] * size[1] * size[2] * shape[3]);
  let to = 0;
  for (let z = 0; z < size[0]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[2] * shape[3]; x++)
        out[to++] = data[((start[0] + z) * shape[1] + start[1] + y) * shape[2] * shape[3] + start[2] * shape[3] + x]!;
  return out;
}

describe("chunks", () => {
  it("cover every voxel once and hold at most 2 MiB", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 4 })),
        (extents) => {
          const shape = extents as Shape4;
          const grid = chunkGrid(shape, 4);
          const seen = new Uint8Array(shape[0] * shape[1] * shape[2]);
          for (let n = 0; n < chunkCount(grid); n++) {
            const { start, size } = chunkBox(grid, shape, n);
            expect(elementCount(size) * shape[3] * 4).toBeLessThanOrEqual(2 * 1024 * 1024);
            for (let z = 0; z < size[0]; z++)
              for (let y = 0; y < size[1]; y++)
                for (let x = 0; x < size[2]; x++) seen[((start[0] + z) * shape[1] + start[1] + y) * shape[2] + start[2] + x]!++;
          }
          return seen.every((times) => times === 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("have long rows, and are planar where the array is", () => {
    expect(chunkGrid([200, 512, 512, 1], 4).chunk).toEqual([32, 64, 256]);
    expect(chunkGrid([200, 512, 512, 1], 1).chunk).toEqual([32, 64, 256]);
    expect(chunkGrid([160, 160, 160, 1], 4).chunk).toEqual([32, 64, 160]);
    expect(chunkGrid([200, 20, 300, 4], 4).chunk).toEqual([32, 20, 150]);
    expect(chunkGrid([1, 512, 512, 1], 4).chunk).toEqual([1, 512, 512]);
  });
});

describe("a stored case", () => {
  it("gives back every region as it was", async () => {
    const shape: Shape4 = [40, 50, 70, 2];
    const store = openCaseStore(folder());
    const data = arrays(shape);
    expect(await store.write("a", recordOf("case_a", shape), data)).toBe(true);
    const { image, label } = store.read("a")!;
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (draws) => {
        const next = () => draws.next().value as number;
        const start = [0, 1, 2].map((axis) => Math.floor(next() * shape[axis]!)) as unknown as Triple;
        const size = [0, 1, 2].map((axis) => 1 + Math.floor(next() * (shape[axis]! - start[axis]!))) as unknown as Triple;
        const target = new Float32Array(size[0] * size[1] * size[2] * 2);
        image.readRegion(start, size, target);
        expect(target).toEqual(boxOf(data.image, shape, start, size));
      }),
      { numRuns: 40 },
    );
    const labels = new Uint8Array(data.label.length);
    label!.readRegion([0, 0, 0], [40, 50, 70], labels);
    expect(labels).toEqual(data.label);
  });

  it("reads only the chunks that a region touches", async () => {
    const shape: Shape4 = [64, 128, 256, 1];
    const store = openCaseStore(folder());
    await store.write("a", recordOf("a", shape), arrays(shape));
    const inner = store as unknown as { chunk(key: string, kind: string, n: number, use: (bytes: Uint8Array) => void): boolean };
    const chunk = inner.chunk.bind(store);
    const read = new Set<number>();
    inner.chunk = (key, kind, n, use) => {
      read.add(n);
      return chunk(key, kind, n, use);
    };
    store.read("a")!.image.readRegion([25, 40, 70], [20, 20, 20], new Float32Array(8000));
    // Chunks of 32x64x256: two in depth, one in height and width.
    expect([...read].sort()).toEqual([0, 2]);
  });

  it("refuses a region that is not inside", async () => {
    const store = openCaseStore(folder());
    await store.write("a", recordOf("a", [4, 4, 4, 1]), arrays([4, 4, 4, 1]));
    const { image } = store.read("a")!;
    for (const [start, size, length] of [
      [[-1, 0, 0], [1, 1, 1], 1],
      [[0, 0, 0], [5, 1, 1], 5],
      [[0, 0, 0], [2, 2, 2], 7],
    ] as const) {
      expect(() => image.readRegion(start as Triple, size as Triple, new Float32Array(length))).toThrow(/a region must lie inside 4x4x4x1/);
    }
  });

  it("with a damaged chunk is found when read, and removed by verifyCache so that it is made again", async () => {
    const path = folder();
    const store = openCaseStore(path);
    await store.write("good", recordOf("good", [8, 8, 8, 1]), arrays([8, 8, 8, 1]));
    await store.write("bad", recordOf("bad", [8, 8, 8, 1]), arrays([8, 8, 8, 1], 1));
    const { database } = store as unknown as { database: { getBinary(key: unknown): Buffer; putSync(key: unknown, value: Buffer): void } };
    const bytes = Buffer.from(database.getBinary(["chunk", "bad", "image", 0]));
    bytes[100]! ^= 1;
    database.putSync(["chunk", "bad", "image", 0], bytes);
    expect(() => store.read("bad")!.image.readRegion([0, 0, 0], [8, 8, 8], new Float32Array(512))).toThrow(
      /chunk 0 must fit its length and checksum/,
    );
    expect(await verifyCache(path)).toEqual([{ key: "bad", id: "bad", damagedChunks: 1 }]);
    expect(store.read("bad")).toBeUndefined();
    expect(store.read("good")).toBeDefined();
    expect(await verifyCache(path)).toEqual([]);
  });

  it("that was only half written does not exist", async () => {
    const path = folder();
    const script = `
      import { openCaseStore } from ${JSON.stringify(`${dist}cache/open-case-store.js`)};
      const store = openCaseStore(${JSON.stringify(path)});
      const original = store.put.bind(store);
      let puts = 0;
      store.put = (action) => { original(action); if (++puts === 2) process.kill(process.pid, "SIGKILL"); };
      const shape = [64, 128, 128, 1];
      const geometry = { spacing: [1, 1, 1], affine: [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1] };
      await store.write("a", { id: "a", made: "", image: { dtype: "float32", shape, geometry, minimum: [0] }, history: [] }, { image: new Float32Array(64 * 128 * 128).fill(1) });
    `;
    expect(await runScript(script)).toMatchObject({ signal: "SIGKILL" });
    const store = openCaseStore(path);
    expect(store.read("a")).toBeUndefined();
    expect(cacheInfo(path)).toMatchObject({ cases: 0, bytes: 0 });
    expect(store.removeRemains(0)).toBe(1);
    const shape: Shape4 = [64, 128, 128, 1];
    expect(await store.write("a", recordOf("a", shape), arrays(shape))).toBe(true);
    expect(store.damage("a")).toBe(0);
  });

  it("is shared by processes that write and read at once", async () => {
    const path = folder();
    const script = (first: number) => `
      import { openCaseStore } from ${JSON.stringify(`${dist}cache/open-case-store.js`)};
      const store = openCaseStore(${JSON.stringify(path)});
      const shape = [16, 40, 40, 1];
      const geometry = { spacing: [1, 1, 1], affine: [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1] };
      for (let i = 0; i < 12; i++) {
        const n = (i + ${first}) % 12;
        await store.write("k" + n, { id: "k" + n, made: "", image: { dtype: "float32", shape, geometry, minimum: [n] }, history: [] }, { image: new Float32Array(25600).fill(n) });
        const out = new Float32Array(25600);
        store.read("k" + n).image.readRegion([0, 0, 0], [16, 40, 40], out);
        if (!out.every((x) => x === n)) throw new Error("wrong voxels");
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    `;
    const ends = await Promise.all([runScript(script(0)), runScript(script(6)), runScript(script(3))]);
    for (const { code, stderr } of ends) expect([code, stderr]).toEqual([0, ""]);
    expect(cacheInfo(path).cases).toBe(12);
    expect(await verifyCache(path)).toEqual([]);
  });
});

describe("a full disk while caching", () => {
  it("is a clear error, leaves no half case, and what was there stays readable", async () => {
    const path = folder();
    const script = `
      import { openCaseStore } from ${JSON.stringify(`${dist}cache/open-case-store.js`)};
      const store = openCaseStore(${JSON.stringify(path)});
      const shape = [16, 64, 64, 1];
      const geometry = { spacing: [1, 1, 1], affine: [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1] };
      const result = { written: 0 };
      for (let n = 0; n < 40; n++) {
        try {
          await store.write("k" + n, { id: "k" + n, made: "", image: { dtype: "float32", shape, geometry, minimum: [n] }, history: [] }, { image: new Float32Array(65536).fill(n) });
          result.written++;
        } catch (error) {
          result.error = { code: error.code, message: error.message };
          const out = new Float32Array(65536);
          result.readable = [...store.cases()].every(({ key }) => { store.read(key).image.readRegion([0, 0, 0], [16, 64, 64], out); return out.every((x) => "k" + x === key); });
          result.cases = [...store.cases()].length;
          break;
        }
      }
      process.stdout.write(JSON.stringify(result));
    `;
    // A limit on file size stops LMDB's writes exactly as a full disk does.
    const { code, stdout } = await runScript(script, 4096);
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as { written: number; cases: number; readable: boolean; error: { code: string; message: string } };
    expect(result.written).toBeGreaterThan(3);
    expect(result).toMatchObject({ cases: result.written, readable: true, error: { code: "ERR_CACHE" } });
    expect(result.error.message).toMatch(/the cache in .* must be writable, got .*full disk.*free space/);
    expect(cacheInfo(path).cases).toBe(result.written);
  });
});

describe("the quota", () => {
  const shape: Shape4 = [8, 32, 32, 1];
  const bytes = 8 * 32 * 32 * 5 + 8;

  it("admits no case beyond it, and throws out none that a run has used lately", async () => {
    const store = openCaseStore(folder());
    expect(await store.write("a", recordOf("a", shape), arrays(shape), 2.5 * bytes)).toBe(true);
    expect(await store.write("b", recordOf("b", shape), arrays(shape), 2.5 * bytes)).toBe(true);
    expect(await store.write("c", recordOf("c", shape), arrays(shape), 2.5 * bytes)).toBe(false);
    expect([...store.cases()].map(({ key }) => key)).toEqual(["a", "b"]);
    expect(store.bytes).toBe(2 * bytes);
  });

  it("throws out the cases that were unused for longest", async () => {
    const path = folder();
    for (const key of ["a", "b", "c"]) await openCaseStore(path).write(key, recordOf(key, shape), arrays(shape));
    // What a process has written itself it lives on.
    await closeCaseStores();
    const store = openCaseStore(path);
    const { database } = store as unknown as { database: { putSync(key: unknown, value: Buffer): void } };
    const hours = (n: number) => Buffer.from(JSON.stringify(Date.now() - n * 3_600_000));
    database.putSync(["used", "a"], hours(2));
    database.putSync(["used", "b"], hours(5));
    expect(await store.write("d", recordOf("d", shape), arrays(shape), 3 * bytes)).toBe(true);
    expect([...store.cases()].map(({ key }) => key)).toEqual(["a", "c", "d"]);
  });
});

describe("the cache's commands", () => {
  it("list, count and prune", async () => {
    const path = folder();
    const store = openCaseStore(path);
    await store.write("k2", recordOf("case_2", [4, 4, 4, 1]), arrays([4, 4, 4, 1]));
    await store.write("k1", recordOf("case_1", [4, 4, 4, 1]), arrays([4, 4, 4, 1]));
    expect(listCache(path)).toMatchObject([
      { id: "case_1", key: "k1", made: "load clip", shape: [4, 4, 4, 1] },
      { id: "case_2", key: "k2" },
    ]);
    expect(cacheInfo(path)).toMatchObject({ cases: 2, bytes: 2 * (64 * 5 + 8) });
    expect(cacheInfo(path).fileBytes).toBeGreaterThan(0);
    expect(pruneCache(path, { unusedMs: 60_000 })).toEqual({ cases: 0, bytes: 0 });
    expect(pruneCache(path, { unusedMs: 0 })).toEqual({ cases: 2, bytes: 2 * (64 * 5 + 8) });
    expect(listCache(path)).toEqual([]);
    expect(() => pruneCache(path, { unusedMs: -1 })).toThrow("pruneCache: unusedMs must be >= 0, got -1");
  });

  it("a folder that cannot be made is a clear error", () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    expect(() => new CaseStore(join(file, "cache"))).toThrow(
      expect.objectContaining({ code: "ERR_CACHE", message: expect.stringMatching(/the cache in .*file\/cache .*must be readable, got ENOTDIR/) }),
    );
  });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a module in a process of its own; `fileLimit` is the most KiB that a file of it may have. */
function runScript(script: string, fileLimit?: number): Promise<Ended> {
  const node = [process.execPath, "--input-type=module", "-e", script];
  const [command, args] =
    fileLimit === undefined ? [node[0]!, node.slice(1)] : ["bash", ["-c", `ulimit -f ${fileLimit}; exec "$@"`, "bash", ...node]];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}
