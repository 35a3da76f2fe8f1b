import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { slowness } from "../e2e/fixture/slowness.js";
import { tinyConfigFile } from "./tiny-config-file.js";
import { trainingChildren } from "./training-child.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-resume-"));
const { start, events: eventsOf, steps, history, weights, untilStep } = trainingChildren(root);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("a training that is interrupted", () => {
  it("continues bit for bit after kill -9 at any moment", { timeout: 300_000 }, async () => {
    const path = tinyConfigFile(root, { epochs: 4, training: "checkpoint: { everySteps: 3 }" });
    const whole = await start(path, "whole", false).ended;
    expect(whole.output).toContain('"status":"completed"');
    expect(steps("whole").length).toBe(20);

    // Before the first checkpoint, inside an epoch, and about where epochs end; each with a few milliseconds drawn anew in every run.
    let resumes = 0;
    for (const killAt of [1, 5, 10, 14]) {
      const { child, ended } = start(path, "killed", killAt > 1);
      await Promise.race([untilStep("killed", killAt).then(() => sleep(Math.random() * 40)), ended]);
      child.kill("SIGKILL");
      const { output } = await ended;
      expect(output).not.toContain("rror");
      resumes++;
    }
    const last = await start(path, "killed", true).ended;
    expect(last.output).toContain('"status":"completed"');
    expect(resumes).toBe(4);
    expect(steps("killed")).toEqual(steps("whole"));
    expect(history("killed")).toBe(history("whole"));
    expect(weights("killed")).toBe(weights("whole"));
    expect(eventsOf("killed").filter(({ type }) => type === "epoch").length).toBe(4);
  });

  it("saves and leaves within five seconds on SIGTERM, and continues bit for bit", { timeout: 300_000 }, async () => {
    if (!existsSync(join(root, "whole"))) {
      await start(tinyConfigFile(root, { epochs: 4, training: "checkpoint: { everySteps: 3 }" }), "whole", false).ended;
    }
    // The last epoch is held back, so that no training is over before the signal arrives.
    const held = join(root, "held");
    writeFileSync(held, "");
    const path = tinyConfigFile(root, {
      epochs: 4,
      training: "checkpoint: { everySteps: 3 }",
      before: `mapAsync(async (item, { signal }) => { while (item.epoch === 3 && existsSync(${JSON.stringify(held)}) && !signal.aborted) await wait(5); return item; }, { name: "held" }), `,
    });
    const { child, ended } = start(path, "terminated", false);
    await untilStep("terminated", 8);
    const asked = performance.now();
    child.kill("SIGTERM");
    const { code, output } = await ended;
    expect(performance.now() - asked).toBeLessThan(5_000 * slowness());
    expect(code).toBe(0);
    expect(output).toContain('"status":"stopped"');
    expect(eventsOf("terminated").at(-1)).toMatchObject({ type: "end", status: "stopped", message: "train: stopped by SIGTERM" });
    const done = steps("terminated").length;
    rmSync(held);
    const rest = await start(path, "terminated", true).ended;
    expect(rest.output).toContain('"status":"completed"');
    expect(eventsOf("terminated").find((event) => event.type === "start" && event.resumedAtStep !== undefined)).toMatchObject({
      resumedAtStep: done,
    });
    expect(steps("terminated")).toEqual(steps("whole"));
    expect(history("terminated")).toBe(history("whole"));
  });
});
