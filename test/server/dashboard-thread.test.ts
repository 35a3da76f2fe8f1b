import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { dashboardThread } from "../../src/server/index.js";
import { json } from "./fixture/open-dashboard.js";
import { RunWriter } from "./fixture/run-writer.js";
import { temporaryFolder } from "./fixture/temporary-folder.js";

describe("dashboardThread", () => {
  test("answers while the main thread is busy", async () => {
    const runs = temporaryFolder();
    new RunWriter({ folder: join(runs, "first") }).start();
    const { url, close } = await dashboardThread({ runs, pollMs: 20 });
    const client = promisify(execFile)(process.execPath, [
      "-e",
      `setTimeout(async () => { const begin = Date.now(); const r = await fetch("${url}api/runs"); await r.json(); console.log(begin, Date.now()) }, 300)`,
    ]);
    // Nothing of this thread runs from here on: as in a long training step.
    const busy = { begin: Date.now(), end: Date.now() + 2500 };
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busy.end - busy.begin);
    const [asked, answered] = (await client).stdout.split(" ").map(Number) as [number, number];
    expect(asked).toBeGreaterThan(busy.begin);
    expect(answered).toBeLessThan(busy.end);
    await close();
    await expect(json(`${url}api/runs`)).rejects.toThrow();
  });

  test("passes on the error of a dashboard that cannot start", async () => {
    await expect(dashboardThread({ runs: join(temporaryFolder(), "none") })).rejects.toMatchObject({ name: "VoxError", code: "ERR_SERVER" });
    await expect(dashboardThread({ runs: temporaryFolder(), port: -1 })).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});
