import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { hugePages } from "../../src/kernels/huge-pages/huge-pages.js";
import { native } from "../../src/kernels/native.js";

const MB = 1024 ** 2;
afterEach(() => vi.unstubAllEnvs());

/** Bytes of the process's maps that are marked for huge pages. */
function markedBytes(): number {
  let bytes = 0;
  let size = 0;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    size = Number(/^Size:\s+(\d+) kB/.exec(line)?.[1] ?? size);
    if (/^VmFlags:.* hg\b/.test(line)) bytes += 1024 * size;
  }
  return bytes;
}

/** Whether addon and system can do it at all. Never collected: marks that go while others are counted would be missing. */
const probe = new SharedArrayBuffer(8 * MB);
const isPossible = process.platform === "linux" && hugePages(probe);

describe("huge pages", () => {
  it.skipIf(!isPossible)("are asked for where the memory lies, and leave it as it is", () => {
    const memory = new SharedArrayBuffer(64 * MB);
    const bytes = new Uint8Array(memory);
    for (let i = 0; i < bytes.length; i += 1000) bytes[i] = i % 251;
    const before = markedBytes();
    expect(hugePages(memory)).toBe(true);
    expect(markedBytes() - before).toBeGreaterThanOrEqual(64 * MB);
    for (let i = 0; i < bytes.length; i += 1000) if (bytes[i] !== i % 251) throw new Error(`byte ${i} has changed`);
    expect(probe.byteLength).toBe(8 * MB);
  });

  it.skipIf(!isPossible)("are asked for all of a buffer that is larger than an array of bytes can be", () => {
    const before = markedBytes();
    // None of it is touched, so it takes no memory.
    const memory = new SharedArrayBuffer(5 * 1024 * MB);
    expect(hugePages(memory)).toBe(true);
    // The buffer of the test before may have gone meanwhile.
    expect(markedBytes() - before).toBeGreaterThanOrEqual(memory.byteLength - 128 * MB);
  });

  it("are not asked for where little memory lies, or VOXSTREAM_HUGE_PAGES=0 says so", () => {
    expect(hugePages(new SharedArrayBuffer(MB))).toBe(false);
    vi.stubEnv("VOXSTREAM_HUGE_PAGES", "0");
    expect(hugePages(new SharedArrayBuffer(64 * MB))).toBe(false);
  });

  it.skipIf(!native())("are refused by the addon for what is no array of bytes", () => {
    const advise = native()!.adviseHugePages! as (memory: unknown) => boolean;
    for (const wrong of [undefined, 5, "memory", new ArrayBuffer(8), new Float32Array(4)]) expect(() => advise(wrong)).toThrow(TypeError);
    expect(advise(new Uint8Array(0))).toBe(false);
  });
});
