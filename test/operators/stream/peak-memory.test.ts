import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Threads, patch edge, shuffle window, budget in MB. `VOXSTREAM_LONG=1` streams five times as many cases, in every combination and with every technique. */
const isLong = Boolean(process.env.VOXSTREAM_LONG);
const CASES = isLong ? 100 : 20;
const folder = mkdtempSync(join(tmpdir(), "voxstream-peak-"));
const script = fileURLToPath(new URL("../fixtures/peak-memory.mjs", import.meta.url));

interface Outcome {
  readonly refused?: string;
  readonly batches: number;
  readonly residentMB: number;
  readonly voxelsMB: number;
  readonly pooledMB: number;
}

function stream(budget: number, threads: number, edge: number, window: number, kind: string): Outcome {
  const args = [script, folder, CASES, budget, threads, edge, window, kind].map(String);
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  console.log(args.slice(2).join(" "), stdout.trim());
  return JSON.parse(stdout) as Outcome;
}

/** The least that a refusal names, in whole MB. */
function leastOf(message: string): number {
  const [, number, unit] = /: at least ([\d.]+) (MB|GB), got/.exec(message)!;
  return Math.ceil(Number(number) * (unit === "GB" ? 1024 : 1)) + 1;
}

beforeAll(() => {
  expect(spawnSync(process.execPath, [script, folder, "write"]).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Combination = readonly [budget: number, threads: number, edge: number, window: number, kind: "some" | "all"];
const all = [300, 400, 500, 1000].flatMap((budget) =>
  [0, 1, 2, 4].flatMap((threads) =>
    [48, 96, 144].flatMap((edge) =>
      [4, 16, 290].flatMap((window) => (["some", "all"] as const).map((kind): Combination => [budget, threads, edge, window, kind])),
    ),
  ),
);
const some: readonly Combination[] = [
  [300, 0, 48, 4, "all"],
  [300, 4, 96, 16, "some"],
  [400, 2, 96, 16, "all"],
  [400, 4, 48, 290, "some"],
  [1000, 4, 144, 16, "all"],
];

describe("peak memory", () => {
  it.each(isLong ? all : some)(
    "of a budget of %i MB with %i threads, patches of %i, a window of %i and %s techniques stays within a tenth more, or the refusal names what would do",
    { timeout: 600_000 },
    (budget, threads, edge, window, kind) => {
      const first = stream(budget, threads, edge, window, kind);
      const given = first.refused === undefined ? budget : leastOf(first.refused);
      expect(given).toBeGreaterThanOrEqual(budget);
      const { batches, residentMB, voxelsMB, pooledMB } = given === budget ? first : stream(given, threads, edge, window, kind);
      expect(batches).toBe(2 * CASES);
      expect(pooledMB).toBeLessThanOrEqual(voxelsMB);
      expect(residentMB).toBeLessThanOrEqual(1.1 * given);
    },
  );
});
