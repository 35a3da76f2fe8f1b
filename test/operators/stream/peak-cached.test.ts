import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { native } from "../../../src/kernels/native.js";

/** Of 4 MB in their files, and of 20 MB in the cache. */
const CASES = 24;
const folder = mkdtempSync(join(tmpdir(), "voxstream-peak-cached-"));
const script = fileURLToPath(new URL("../fixtures/peak-cached.mjs", import.meta.url));

function stream(...args: readonly (string | number)[]): { batches: number; residentMB: number; cacheMB: number } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, folder, String(CASES), ...args.map(String)], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  // As many cases as are looked at together listen for one signal.
  expect(stderr).not.toMatch(/MaxListeners/);
  console.log(args.join(" "), stdout.trim());
  return JSON.parse(stdout);
}

beforeAll(() => {
  expect(spawnSync(process.execPath, [script, folder, String(CASES), "write"]).status).toBe(0);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

// Pages of the map are let go by the addon, and only Linux says how many there were.
describe.skipIf(process.platform !== "linux" || !native())("peak memory of a graph whose cache is larger than its budget", () => {
  it.each([
    ["cases", 2, 1.5],
    ["batches", 1, 1.3],
  ])("stays within the budget and a tenth, while %s are cached and when they are read", { timeout: 600_000 }, (kind, threads, times) => {
    const budget = 300;
    const [first, later] = [stream(budget, threads, 1, kind), stream(budget, threads, 3, kind)];
    expect(first.cacheMB).toBeGreaterThan(times * budget);
    expect([first.batches, later.batches]).toEqual([4 * CASES, 12 * CASES]);
    for (const { residentMB } of [first, later]) expect(residentMB).toBeLessThanOrEqual(1.1 * budget);
    // Both caches at once would take twice the room on the disk.
    rmSync(join(folder, `cache-${kind}`), { recursive: true });
  });
});
