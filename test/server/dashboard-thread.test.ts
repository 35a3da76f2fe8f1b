import { execFileSync } from "node:child_process";
import { join } from "node:path";
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
    // Nothing of this thread runs until the client has its answer: as in a long training step.
    const client = `fetch("${url}api/runs").then((answer) => answer.json()).then(({ runs }) => console.log(runs[0].id))`;
    expect(execFileSync(process.execPath, ["-e", client], { encoding: "utf8", timeout: 90_000 })).toBe("first\n");
    await close();
    await expect(json(`${url}api/runs`)).rejects.toThrow();
  });

  test("passes on the error of a dashboard that cannot start", async () => {
    await expect(dashboardThread({ runs: join(temporaryFolder(), "none") })).rejects.toMatchObject({ name: "VoxError", code: "ERR_SERVER" });
    await expect(dashboardThread({ runs: temporaryFolder(), port: -1 })).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});
