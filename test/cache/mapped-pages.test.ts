import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { closeCaseStores, openCaseStore } from "../../src/cache/index.js";
import { mappedBytesOf, poolBytesWithin } from "../../src/cache/mapped-pages.js";
import { axisAligned } from "../../src/core/geometry.js";
import { dropMappedPages } from "../../src/kernels/drop-mapped-pages/drop-mapped-pages.js";
import { native } from "../../src/kernels/native.js";

const MB = 1024 ** 2;
const root = realpathSync(mkdtempSync(join(tmpdir(), "voxstream-mapped-")));
afterEach(() => closeCaseStores());
afterAll(() => rmSync(root, { recursive: true }));

/** Bytes of the cache in a folder that are resident in this process, over all its maps. */
function residentOf(folder: string): number {
  let isOurs = false;
  let bytes = 0;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isOurs = line.endsWith(`${folder}/cases.lmdb`);
    else if (isOurs) bytes += 1024 * Number(/^Rss:\s+(\d+) kB/.exec(line)?.[1] ?? 0);
  }
  return bytes;
}

const SHAPE = [64, 128, 256, 1] as const;
const VOXELS = 64 * 128 * 256;

async function filled(folder: string, cases: number): Promise<ReturnType<typeof openCaseStore>> {
  const store = openCaseStore(folder);
  const image = { dtype: "float32", shape: SHAPE, geometry: axisAligned(), minimum: [0] } as const;
  for (let n = 0; n < cases; n++) {
    const voxels = Float32Array.from({ length: VOXELS }, (_, i) => n * VOXELS + i);
    await store.write(`case-${n}`, { id: `case-${n}`, made: "", image, history: [] }, { image: voxels });
  }
  return store;
}

it("a pool and the pages that go with it take what there is, and no more", () => {
  expect([0, 256, 512, 4096, 65_536].map((size) => mappedBytesOf(size * MB) / MB)).toEqual([16, 16, 32, 256, 1024]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 36 }), (bytes) => {
      const pool = poolBytesWithin(bytes);
      if (pool === 0) return bytes <= 16 * MB;
      const all = pool + mappedBytesOf(pool);
      return all <= bytes && all >= bytes - 16;
    }),
  );
});

describe.skipIf(process.platform !== "linux" || !native())("pages of the cache's map", () => {
  it("that were read go when they are more than the limit, and what is read is the same", async () => {
    // As the system shows it: spaces, and what it appends to names of files that are gone.
    const folder = join(root, "bounded  für (deleted)");
    const store = await filled(folder, 8);
    const target = new Float32Array(VOXELS);
    const readAll = (): number => {
      let most = 0;
      for (let n = 0; n < 8; n++) {
        store.read(`case-${n}`)!.image.readRegion([0, 0, 0], [64, 128, 256], target);
        most = Math.max(most, residentOf(folder));
        expect([target[0], target[VOXELS - 1]]).toEqual([n * VOXELS, Math.fround(n * VOXELS + VOXELS - 1)]);
      }
      return most;
    };
    expect(readAll()).toBeGreaterThan(60 * MB);
    store.keepBeside(100 * MB);
    // 16 MB, and what lies in the same pages and in LMDB's tree.
    for (let round = 0; round < 2; round++) expect(readAll()).toBeLessThan(19 * MB);
    // A larger pool has more beside it, and what was read stays.
    store.keepBeside(2048 * MB);
    expect(readAll()).toBeGreaterThan(60 * MB);
  });

  it("go after a case was written, when LMDB may have made a larger map", async () => {
    const folder = join(root, "written");
    const store = await filled(folder, 1);
    store.read("case-0")!.image.readRegion([0, 0, 0], [64, 128, 256], new Float32Array(VOXELS));
    expect(residentOf(folder)).toBeGreaterThan(7 * MB);
    await filled(folder, 2);
    expect(residentOf(folder)).toBeLessThan(2 * MB);
    expect(store.damage("case-0") + store.damage("case-1")).toBe(0);
  });

  it("are those of that file alone: others, memory and no file at all are left as they are", async () => {
    const folder = join(root, "alone");
    const store = await filled(folder, 1);
    store.read("case-0")!.image.readRegion([0, 0, 0], [64, 128, 256], new Float32Array(VOXELS));
    const before = residentOf(folder);
    for (const path of [
      "",
      "cases.lmdb",
      "/none",
      root,
      `${folder}/cases.lmdb-lock`,
      `${folder}/cases.lmd`,
      `${folder}/cases.lmdb2`,
      "[heap]",
      process.execPath,
    ]) {
      expect([path, dropMappedPages(path)]).toEqual([path, 0]);
    }
    // The system may take single pages at any time.
    expect(residentOf(folder)).toBeGreaterThan(before / 2);
    expect(dropMappedPages(`${folder}/cases.lmdb`)).toBeGreaterThan(0);
    expect(residentOf(folder)).toBeLessThan(MB);
    const drop = native()!.dropMappedPages as (path: unknown) => number;
    for (const wrong of [undefined, 5, {}, new Uint8Array(4)]) expect(() => drop(wrong)).toThrow(TypeError);
  });
});
