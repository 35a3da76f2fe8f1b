import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/run-events.js";
import { tinyConfigFile } from "./tiny-config-file.js";

let root: string;
let script: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-resume-"));
  script = join(root, "train.mjs");
  const library = new URL("../../dist/training/train.js", import.meta.url).href;
  writeFileSync(
    script,
    `import { train } from ${JSON.stringify(library)};
const [path, name, resume] = process.argv.slice(2);
const result = await train(path, { resume: resume === "resume", stopOnSignals: true, overrides: { name } });
console.log(JSON.stringify(result));
`,
  );
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function start(path: string, name: string, resume: boolean): { child: ChildProcess; ended: Promise<{ code: number | null; output: string }> } {
  const child = spawn(process.execPath, [script, path, name, resume ? "resume" : "fresh"], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout!.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    output += chunk;
  });
  return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, output }))) };
}

const eventsOf = (name: string): RunEvent[] => {
  const path = join(root, name, "events.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  // The last line may be in the middle of being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as RunEvent);
};
const steps = (name: string) =>
  eventsOf(name).flatMap((event) =>
    event.type === "step" ? [{ step: event.step, epoch: event.epoch, loss: event.loss, metrics: event.metrics, rate: event.learningRate }] : [],
  );
const history = (name: string): string => readFileSync(join(root, name, "history.tsv"), "utf8");
const weights = (name: string): string =>
  (JSON.parse(readFileSync(join(root, name, "checkpoints/latest/bundle.json"), "utf8")) as { weights: { sha256: string } }).weights.sha256;

async function untilStep(name: string, step: number): Promise<void> {
  while ((steps(name).at(-1)?.step ?? 0) < step) await sleep(5);
}

describe("a training that is interrupted", () => {
  it("continues bit for bit after kill -9 at any moment", { timeout: 120_000 }, async () => {
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

  it("saves and leaves within five seconds on SIGTERM, and continues bit for bit", { timeout: 60_000 }, async () => {
    const path = tinyConfigFile(root, { epochs: 4, training: "checkpoint: { everySteps: 3 }" });
    if (!existsSync(join(root, "whole"))) await start(path, "whole", false).ended;
    const { child, ended } = start(path, "terminated", false);
    await untilStep("terminated", 8);
    const asked = performance.now();
    child.kill("SIGTERM");
    const { code, output } = await ended;
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect(code).toBe(0);
    expect(output).toContain('"status":"stopped"');
    expect(eventsOf("terminated").at(-1)).toMatchObject({ type: "end", status: "stopped", message: "train: stopped by SIGTERM" });
    const done = steps("terminated").length;
    const rest = await start(path, "terminated", true).ended;
    expect(rest.output).toContain('"status":"completed"');
    expect(eventsOf("terminated").find((event) => event.type === "start" && event.resumedAtStep !== undefined)).toMatchObject({
      resumedAtStep: done,
    });
    expect(steps("terminated")).toEqual(steps("whole"));
    expect(history("terminated")).toBe(history("whole"));
  });
});
