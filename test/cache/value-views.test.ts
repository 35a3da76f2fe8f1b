import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { CaseStore, closeCaseStores, openCaseStore } from "../../src/cache/index.js";
import { type Environment, openEnvironment } from "../../src/cache/open-environment.js";
import { valueViews } from "../../src/cache/value-views.js";
import { isVoxError } from "../../src/core/errors.js";
import { lendsMemory } from "../../src/kernels/lends-memory/lends-memory.js";
import { native } from "../../src/kernels/native.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-views-"));
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
const { nativeAddon } = createRequire(import.meta.url)("lmdb") as { readonly nativeAddon: Record<string, unknown> };
const open: Environment["database"][] = [];
let count = 0;

function database(): Environment["database"] {
  const { database } = openEnvironment(join(root, `store-${count++}`));
  open.push(database);
  return database;
}

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  await closeCaseStores();
});
afterAll(() => rmSync(root, { recursive: true }));

const bytesOf = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255);

/** Runs `action` while the binding lacks or has other functions. */
function withBinding(changes: Record<string, unknown>, action: () => void): void {
  const kept = Object.fromEntries(Object.keys(changes).map((name) => [name, nativeAddon[name]]));
  Object.assign(nativeAddon, changes);
  try {
    action();
  } finally {
    Object.assign(nativeAddon, kept);
  }
}

describe("the views of values", () => {
  it("show every value as it was put, small or large, and nothing for a key that is not there", () => {
    const store = database();
    const views = valueViews(store);
    expect(views(["a", 1], () => true)).toBeUndefined();
    const lengths = [1, 100, 16_000, 70_000, 1_048_580, 20_000_000];
    lengths.forEach((length, n) => {
      store.putSync(["a", n], bytesOf(length, n));
    });
    lengths.forEach((length, n) => {
      expect(views(["a", n], (bytes) => Buffer.compare(bytes, bytesOf(length, n)))).toBe(0);
    });
    expect(views(["a", lengths.length], () => true)).toBeUndefined();
  });

  it("lie in the memory map and not in a copy, and are closed when their use is over, also after an error", () => {
    const store = database();
    store.putSync(["a"], bytesOf(100_000, 1));
    const views = valueViews(store);
    const seen: Uint8Array[] = [];
    views(["a"], (bytes) => seen.push(bytes));
    expect(() =>
      views(["a"], (bytes) => {
        seen.push(bytes);
        throw new Error("mine");
      }),
    ).toThrow("mine");
    views(["a"], (first) => {
      views(["a"], (second) => {
        expect(second.byteLength).toBe(100_000);
        seen.push(second);
      });
      expect(first.byteLength).toBe(100_000);
    });
    // A copy would keep its bytes.
    expect(seen.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
  });

  it("hold no memory: thousands of them are no load for the garbage collector", () => {
    const store = database();
    store.putSync(["a"], bytesOf(1_000_000, 1));
    const views = valueViews(store);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 3000; i++) views(["a"], () => true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });

  it("are copies where the binding has no such function or shows something else", () => {
    const value = bytesOf(50_000, 3);
    const read = (store: Environment["database"]): Uint8Array => {
      const views = valueViews(store);
      let seen: Uint8Array | undefined;
      expect(views(["a"], (bytes) => Buffer.compare(bytes, value))).toBe(0);
      views(["a"], (bytes) => {
        seen = bytes;
      });
      return seen!;
    };
    for (const changes of [
      { getSharedByBinary: undefined },
      { detachBuffer: undefined },
      { detachBuffer: () => undefined },
      { getSharedByBinary: () => Buffer.alloc(50_000) },
      { getSharedByBinary: () => undefined },
    ]) {
      const store = database();
      store.putSync(["a"], value);
      withBinding(changes, () => expect(read(store).byteLength).toBe(50_000));
    }
  });

  it.skipIf(!native())(
    "are copies where no buffer may lie in foreign memory, as in Electron: crops come out the same, and the binding is not asked for any",
    async () => {
      const addon = native() as { lendsMemory?: () => boolean };
      const ofAddon = addon.lendsMemory!;
      expect(lendsMemory()).toBe(true);
      const shape = [40, 50, 60, 1] as const;
      const voxels = Float32Array.from({ length: 40 * 50 * 60 }, (_, i) => i);
      const geometry = { spacing: [1, 1, 1], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] } as const;
      addon.lendsMemory = () => false;
      expect(lendsMemory()).toBe(false);
      const refused = (): never => {
        throw new Error("no external buffers");
      };
      const kept = nativeAddon.getSharedByBinary;
      nativeAddon.getSharedByBinary = refused;
      try {
        const store = new CaseStore(join(root, `store-${count++}`));
        await store.write("a", { id: "a", made: "", image: { dtype: "float32", shape, geometry, minimum: [0] }, history: [] }, { image: voxels });
        const crop = new Float32Array(5 * 6 * 7);
        store.read("a")!.image.readRegion([3, 4, 5], [5, 6, 7], crop);
        expect([crop[0], crop.at(-1)]).toEqual([(3 * 50 + 4) * 60 + 5, (7 * 50 + 9) * 60 + 11]);
        const whole = new Float32Array(voxels.length);
        store.read("a")!.image.readRegion([0, 0, 0], [40, 50, 60], whole);
        expect(whole).toEqual(voxels);
        expect(store.damage("a")).toBe(0);
        await store.close();
      } finally {
        nativeAddon.getSharedByBinary = kept;
        addon.lendsMemory = ofAddon;
      }
    },
  );

  it("never show pages that another process has freed and written anew", { timeout: 120_000 }, async () => {
    const path = join(root, `store-${count++}`);
    const script = `
      import { openCaseStore } from ${JSON.stringify(`${dist}cache/open-case-store.js`)};
      const store = openCaseStore(${JSON.stringify(path)});
      const shape = [128, 64, 64, 1];
      const geometry = { spacing: [1, 1, 1], affine: [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1] };
      const image = new Float32Array(128 * 64 * 64);
      for (let n = 0; n < 150; n++) {
        store.remove("a");
        await store.write("a", { id: "a", made: "", image: { dtype: "float32", shape, geometry, minimum: [n] }, history: [] }, { image: image.fill(n) });
      }
    `;
    writeFileSync(join(root, "writer.mjs"), script);
    const child = spawn(process.execPath, [join(root, "writer.mjs")], { stdio: "inherit" });
    let isOver = false;
    const ended = new Promise<number | null>((resolve) =>
      child.on("close", (code) => {
        isOver = true;
        resolve(code);
      }),
    );
    const store = openCaseStore(path);
    const target = new Float32Array(128 * 64 * 64);
    while (!isOver) {
      try {
        const found = store.read("a");
        found?.image.readRegion([0, 0, 0], [128, 64, 64], target);
        // All chunks come from one transaction, so they are of one writing.
        if (found) expect(target.every((value) => value === target[0])).toBe(true);
      } catch (error) {
        // Gone between its record and its chunks.
        if (!isVoxError(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await ended).toBe(0);
    store.read("a")!.image.readRegion([0, 0, 0], [128, 64, 64], target);
    expect(target.every((value) => value === 149)).toBe(true);
  });
});
