import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { type CaseRecord, closeCaseStores, openCaseStore, verifyCache } from "../../src/cache/index.js";
import { networkDisk } from "../../src/cache/network-disk.js";
import { axisAligned } from "../../src/core/geometry.js";
import { elementCount, type Shape4 } from "../../src/core/shape.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-cache-disk-"));
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
let count = 0;
const folder = () => join(root, `store-${count++}`);

afterEach(() => {
  vi.useRealTimers();
  return closeCaseStores();
});
afterAll(() => rmSync(root, { recursive: true }));

const SHAPE: Shape4 = [8, 32, 32, 1];
const BYTES = elementCount(SHAPE) * 4 + 4;
const record = (id: string): Omit<CaseRecord, "bytes" | "created"> => ({
  id,
  made: "load",
  image: { dtype: "float32", shape: SHAPE, geometry: axisAligned(), minimum: [0] },
  history: [],
});
const arrays = (value: number) => ({ image: new Float32Array(elementCount(SHAPE)).fill(value) });

/** A disk in memory of its own; undefined where that may not be made. */
function disk(megabytes: number): string | undefined {
  const place = folder();
  mkdirSync(place, { recursive: true });
  return spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", place]).status === 0 ? place : undefined;
}
const probe = process.getuid?.() === 0 ? disk(1) : undefined;
if (probe) spawnSync("umount", ["-l", probe]);
const canMount = probe !== undefined;

async function heard(action: () => unknown): Promise<string[]> {
  const warnings: string[] = [];
  const listen = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", listen);
  await action();
  await sleep(5);
  process.removeListener("warning", listen);
  return warnings;
}

describe("the quota", () => {
  it("keeps a hit rate near its share under cyclic access, also when an epoch takes hours", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const store = openCaseStore(folder());
    const cases = 12;
    const quota = 10.5 * BYTES;
    for (let epoch = 0; epoch < 5; epoch++) {
      let hits = 0;
      for (let n = 0; n < cases; n++) {
        // An epoch of six hours, six times as long as a case counts as in use.
        vi.setSystemTime(Date.now() + 30 * 60 * 1000);
        if (store.read(`case-${n}`)) hits++;
        else await store.write(`case-${n}`, record(`case-${n}`), arrays(n), quota);
      }
      expect(hits).toBe(epoch === 0 ? 0 : 10);
      expect(store.bytes).toBeLessThanOrEqual(quota);
    }
  });

  it("gives the room of a run that is over to the next", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const path = folder();
    for (let n = 0; n < 10; n++) await openCaseStore(path).write(`old-${n}`, record(`old-${n}`), arrays(n));
    await closeCaseStores();
    vi.setSystemTime(Date.now() + 2 * 60 * 60 * 1000);
    const store = openCaseStore(path);
    for (let n = 0; n < 10; n++) expect(await store.write(`new-${n}`, record(`new-${n}`), arrays(n), 10.5 * BYTES)).toBe(true);
    expect([...store.cases()].map(({ key }) => key)).toEqual(Array.from({ length: 10 }, (_, n) => `new-${n}`));
  });
});

describe("the map", () => {
  it("grows while another process reads", async () => {
    const path = folder();
    const store = openCaseStore(path);
    await store.write("mine", record("mine"), arrays(7));
    const script = `
      import { openCaseStore } from ${JSON.stringify(`${dist}cache/open-case-store.js`)};
      const store = openCaseStore(${JSON.stringify(path)});
      const geometry = { spacing: [1, 1, 1], affine: [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1] };
      const shape = [64, 256, 256, 1];
      const image = new Float32Array(64 * 256 * 256);
      for (let n = 0; n < 12; n++) await store.write("theirs-" + n, { id: "x", made: "", image: { dtype: "float32", shape, geometry, minimum: [0] }, history: [] }, { image: image.fill(n) });
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
    let isOver = false;
    const ended = new Promise<number | null>((resolve) =>
      child.on("close", (code) => {
        isOver = true;
        resolve(code);
      }),
    );
    const target = new Float32Array(elementCount(SHAPE));
    while (!isOver) {
      store.read("mine")!.image.readRegion([0, 0, 0], [8, 32, 32], target);
      expect(target.every((value) => value === 7)).toBe(true);
      await sleep(5);
    }
    expect(await ended).toBe(0);
    const theirs = new Float32Array(64 * 256 * 256);
    store.read("theirs-11")!.image.readRegion([0, 0, 0], [64, 256, 256], theirs);
    expect(theirs.every((value) => value === 11)).toBe(true);
    expect(store.fileBytes).toBeGreaterThan(180 * 1024 ** 2);
  });
});

describe("network disks", () => {
  it("are known by their statfs type, with or without sign", () => {
    expect(networkDisk(0x6969)).toBe("NFS");
    expect(networkDisk(0xff534d42)).toBe("CIFS");
    expect(networkDisk(0xff534d42 - 2 ** 32)).toBe("CIFS");
    expect(networkDisk(0x65735546)).toBe("FUSE");
    for (const local of [0xef53, 0x58465342, 0x9123683e, 0x01021994]) expect(networkDisk(local)).toBeUndefined();
  });

  it("are warned of when a cache is opened there, and local disks are not", async () => {
    const path = folder();
    expect(await heard(() => openCaseStore(path))).toEqual([]);
    await closeCaseStores();
    vi.resetModules();
    vi.doMock("node:fs", async (original) => ({ ...(await original<object>()), statfsSync: () => ({ type: 0x6969, bavail: 1e6, bsize: 4096 }) }));
    const { CaseStore } = await import("../../src/cache/case-store.js");
    const warnings = await heard(async () => new CaseStore(path).close());
    vi.doUnmock("node:fs");
    vi.resetModules();
    expect(warnings).toEqual([expect.stringMatching(/lies on a network disk \(NFS\), where LMDB's locks .* set VOXSTREAM_CACHE/)]);
  });
});

describe.skipIf(!canMount)("a disk of its own (needs root)", () => {
  it("that is mounted read-only serves what it holds, and nothing else fails", async () => {
    const place = disk(16)!;
    try {
      await openCaseStore(place).write("a", record("a"), arrays(3));
      await closeCaseStores();
      expect(spawnSync("mount", ["-o", "remount,ro", place]).status).toBe(0);
      const warnings = await heard(() => openCaseStore(place));
      expect(warnings).toEqual([expect.stringMatching(/can be read but not written; cases that are not there are made again every time/)]);
      const store = openCaseStore(place);
      expect(store.isReadOnly).toBe(true);
      const target = new Float32Array(elementCount(SHAPE));
      store.read("a")!.image.readRegion([0, 0, 0], [8, 32, 32], target);
      expect(target.every((value) => value === 3)).toBe(true);
      expect(await store.write("b", record("b"), arrays(4))).toBe(false);
      store.setNote("file", "text");
      expect(store.note("file")).toBeUndefined();
      expect(await verifyCache(place)).toEqual([]);
      await closeCaseStores();
    } finally {
      spawnSync("umount", ["-l", place]);
    }
  });

  it("that fills up is a clear error; what was there stays whole, and there is room again after pruning", async () => {
    const place = disk(4)!;
    try {
      const script = `
        import { openCaseStore } from ${JSON.stringify(`${dist}cache/open-case-store.js`)};
        const store = openCaseStore(${JSON.stringify(place)});
        const geometry = { spacing: [1, 1, 1], affine: [1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1] };
        const write = (n) => store.write("k" + n, { id: "k" + n, made: "", image: { dtype: "float32", shape: [16, 64, 64, 1], geometry, minimum: [n] }, history: [] }, { image: new Float32Array(65536).fill(n) });
        let written = 0;
        let message = "";
        try { for (; written < 40; written++) await write(written); } catch (error) { message = error.code + " " + error.message; }
        const whole = [...store.cases()].every(({ key }) => store.damage(key) === 0);
        const stored = [...store.cases()].length;
        for (const { key } of [...store.cases()].slice(0, 4)) store.remove(key);
        await write(100);
        process.stdout.write(JSON.stringify({ written, stored, whole, message, again: store.damage("k100") }));
      `;
      const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
      expect(status, stderr).toBe(0);
      const seen = JSON.parse(stdout) as { written: number; stored: number; whole: boolean; message: string; again: number };
      expect(seen.written).toBeGreaterThan(5);
      expect(seen).toMatchObject({ stored: seen.written, whole: true, again: 0 });
      expect(seen.message).toMatch(/^ERR_CACHE .*must be writable, got .*full disk.*free space/);
    } finally {
      spawnSync("umount", ["-l", place]);
    }
  });

  it("is copied and read elsewhere", async () => {
    const path = folder();
    await openCaseStore(path).write("a", record("a"), arrays(5));
    await closeCaseStores();
    const copy = folder();
    cpSync(path, copy, { recursive: true });
    expect(openCaseStore(copy).damage("a")).toBe(0);
  });
});

describe.skipIf(canMount)("a disk of its own", () => {
  it.skip("needs root and mount: read-only and full disks were not tried", () => {});
});
