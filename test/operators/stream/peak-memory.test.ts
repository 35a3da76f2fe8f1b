import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Beside the pool a process needs some 20 MB for each thread and its heap, which a tenth of a gigabyte holds. `VOXSTREAM_LONG=1` streams five times as many cases, in every combination. */
const isLong = Boolean(process.env.VOXSTREAM_LONG);
const CASES = isLong ? 400 : 80;
const BUDGET_MB = 1000;
const folder = mkdtempSync(join(tmpdir(), "voxstream-peak-"));
const script = fileURLToPath(new URL("../fixtures/peak-memory.mjs", import.meta.url));

beforeAll(() => {
  expect(spawnSync(process.execPath, [script, folder, "write"]).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

const all = [1, 2, 4].flatMap((threads) => [48, 96].flatMap((edge) => [4, 290].map((window) => [threads, edge, window] as const)));
const some = [all[0]!, all[5]!, all[11]!];

describe("peak memory", () => {
  it.each(isLong ? all : some)(
    `of ${CASES} cases of 40 MB stays within the budget and a tenth with %i threads, patches of %i, a window of %i`,
    { timeout: 300_000 },
    (threads, edge, window) => {
      const args = [script, folder, CASES, BUDGET_MB, threads, edge, window].map(String);
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
      expect([status, stderr]).toEqual([0, ""]);
      const { batches, grownMB, pooledMB } = JSON.parse(stdout) as { batches: number; grownMB: number; pooledMB: number };
      console.log(stdout.trim());
      expect(batches).toBe(2 * CASES);
      expect(pooledMB).toBeLessThanOrEqual(BUDGET_MB);
      expect(grownMB).toBeLessThanOrEqual(1.1 * BUDGET_MB);
    },
  );
});
