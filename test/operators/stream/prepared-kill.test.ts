import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { closeCaseStores, verifyCache } from "../../../src/cache/index.js";
import { writePhantoms } from "../../../src/io/index.js";

const KILLS = process.env.VOXSTREAM_LONG ? 50 : 8;
const root = mkdtempSync(join(tmpdir(), "voxstream-prepared-kill-"));
const script = fileURLToPath(new URL("../fixtures/prepare-batches.mjs", import.meta.url));

beforeAll(() => writePhantoms({ folder: join(root, "data"), cases: 4, shape: [24, 64, 64], seed: 5 }));
afterEach(() => closeCaseStores());
afterAll(() => rmSync(root, { recursive: true }));

interface Child {
  /** Resolves when so many lines have come, or the process has ended. */
  has(lines: number): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly lines: readonly string[]; readonly stderr: string }>;
  kill(): void;
}

function start(folder: string, most = Number.POSITIVE_INFINITY): Child {
  const child = spawn(process.execPath, [script, join(root, "data"), join(root, folder), String(most)], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let isOver = false;
  let wake = (): void => {};
  child.stdout.on("data", (text) => {
    stdout += text;
    wake();
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<Awaited<Child["ended"]>>((resolve) =>
    child.on("close", (code) => {
      isOver = true;
      wake();
      resolve({ code, lines: stdout.trimEnd().split("\n"), stderr });
    }),
  );
  const has = async (lines: number): Promise<void> => {
    while (!isOver && stdout.split("\n").length <= lines) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { has, ended, kill: () => void child.kill("SIGKILL") };
}

it(`prepared batches survive ${KILLS} kills at random moments: none is lost, none comes twice`, { timeout: 240_000 + 20_000 * KILLS }, async () => {
  const whole = await start("whole").ended;
  expect([whole.code, whole.stderr, whole.lines.at(-1)]).toEqual([0, "", "end 0"]);
  expect(whole.lines.length).toBe(2 + 3 * 80);
  let inTheMiddle = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    // Anywhere in the three epochs, while later batches are made; every other time before or while the first ones are.
    const isAnywhere = kill % 2 === 1;
    const most = 1 + Math.floor(Math.random() * 240);
    const child = start("killed", isAnywhere ? most : undefined);
    await child.has(isAnywhere ? 1 + most : 1);
    await sleep(Math.random() * 40);
    child.kill();
    const { lines } = await child.ended;
    // What came before the kill is what comes without one; the last line may be cut.
    expect(whole.lines.slice(0, lines.length - 1)).toEqual(lines.slice(0, -1));
    if (lines.length > 1 && lines.at(-1) !== "end 0") inTheMiddle++;
  }
  const after = await start("killed").ended;
  expect(after).toEqual(whole);
  expect(await verifyCache(join(root, "killed"))).toEqual([]);
  expect(inTheMiddle).toBeGreaterThanOrEqual(KILLS / 2);
  console.log(`${inTheMiddle} of ${KILLS} kills came between two batches`);
});

it("two processes that prepare the same batches at once get the same", async () => {
  const [one, two] = await Promise.all([start("shared").ended, start("shared").ended]);
  expect([one.code, one.stderr]).toEqual([0, ""]);
  expect(two).toEqual(one);
});
