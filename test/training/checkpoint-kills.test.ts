import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { tinyConfigFile } from "./tiny-config-file.js";
import { trainingChildren } from "./training-child.js";

const isLong = process.env.VOXSTREAM_LONG === "1";
/** The long form: `VOXSTREAM_LONG=1 npx vitest run test/training/checkpoint-kills.test.ts`, about five minutes. */
const KILLS = isLong ? 50 : 6;
const EPOCHS = isLong ? 24 : 8;
/** A training that does not get on for so long hangs. */
const HANGS_MS = 180_000;

const root = mkdtempSync(join(tmpdir(), "voxstream-kills-"));
const { start, events, steps, history, weights } = trainingChildren(root);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const checkpoints = (name: string): string[] => (existsSync(join(root, name, "checkpoints")) ? readdirSync(join(root, name, "checkpoints")) : []);

/** Resolves a drawn moment after the training has begun to write its next checkpoint, or when it has ended. */
async function duringCheckpoint(name: string, ended: Promise<unknown>): Promise<void> {
  const began = performance.now();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  // The folder of the last kill is still there until the training recovers it.
  const before = new Set(events(name).length > 0 ? checkpoints(name) : []);
  const left = steps(name).length;
  while (!isOver && performance.now() - began < HANGS_MS) {
    const isNew = checkpoints(name).some((entry) => entry.endsWith(".new") && !before.has(entry));
    if (isNew || steps(name).length > left + 2) break;
    await sleep(1);
  }
  expect(performance.now() - began, "the training hangs").toBeLessThan(HANGS_MS);
  // Writing takes some ten milliseconds with its flushes to disk.
  await sleep(Math.random() * 25);
}

describe("kill -9 during checkpoints", () => {
  it(`at ${KILLS} moments loses nothing, does nothing twice, and the batches after it are the same`, {
    timeout: isLong ? 1_800_000 : 600_000,
  }, async () => {
    const config = tinyConfigFile(root, { epochs: EPOCHS, training: "checkpoint: { everySteps: 1 }" });
    const whole = await start(config, "whole", false).ended;
    expect(whole.output).toContain('"status":"completed"');

    let kills = 0;
    let halfWritten = 0;
    let runs = 0;
    while (kills < KILLS) {
      const name = `killed-${++runs}`;
      let isResumed = false;
      for (;;) {
        const { child, ended } = start(config, name, isResumed);
        isResumed = true;
        if (kills < KILLS) await duringCheckpoint(name, ended);
        const isKilled = kills < KILLS && child.exitCode === null;
        if (isKilled) child.kill("SIGKILL");
        const { output } = await ended;
        expect(output).not.toContain("rror");
        if (output.includes('"status":"completed"')) break;
        kills++;
        if (checkpoints(name).some((entry) => /\.(new|old)$/.test(entry))) halfWritten++;
      }
      // Every step once, in order, with the same losses, metrics and rates; every epoch once; the same weights.
      expect(steps(name)).toEqual(steps("whole"));
      expect(history(name)).toBe(history("whole"));
      expect(weights(name)).toBe(weights("whole"));
      expect(events(name).filter(({ type }) => type === "epoch").length).toBe(EPOCHS);
      expect(checkpoints(name).sort()).toEqual(["best", "latest"]);
    }
    process.stderr.write(`${kills} kills in ${runs} trainings; ${halfWritten} of them left a checkpoint half written\n`);
    expect(kills).toBe(KILLS);
    // Kills that miss the writing show little.
    if (isLong) expect(halfWritten).toBeGreaterThan(KILLS / 5);
  });
});
