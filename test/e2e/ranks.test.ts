import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/run-events.js";
import { goodCase, writeCase } from "./fixture/bad-cases.js";
import { runCli } from "./fixture/run-cli.js";
import { heldBack, smallConfig } from "./fixture/small-config.js";

const hasMpi = spawnSync("mpirun", ["--version"]).status === 0;
const root = mkdtempSync(join(tmpdir(), "voxstream-mpi-"));
const at = (...parts: string[]): string => join(root, ...parts);
const LIMIT = 240_000;

beforeAll(() => {
  for (const id of ["a", "b", "c", "d", "e"]) writeCase(at("data"), goodCase(id, { shape: [32, 32, 16] }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, epochs: number, training = "", before = ""): string =>
  smallConfig(root, {
    name,
    root: at("data"),
    epochs,
    training,
    preprocessing: `${before}load(), normalize({ mode: "z-score" }),`,
    fields: "split: { validation: 0.2 }",
  });

const weights = (run: string): Buffer => readFileSync(at("runs", run, "checkpoints", "latest", "weights.bin"));
const eventsOf = (...folder: string[]): RunEvent[] =>
  readFileSync(at("runs", ...folder, "events.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as RunEvent);
/** Whether a process still runs; one that is over and not yet collected by its parent does not. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** Calls `act` once, as soon as stderr says `when`. */
function once(when: RegExp, act: (child: ChildProcess) => void) {
  let isDone = false;
  return (child: ChildProcess, stderr: string): void => {
    if (isDone || !when.test(stderr)) return;
    isDone = true;
    act(child);
  };
}

// Needs Open MPI; test/training/ranks tests the same training without it.
describe.skipIf(!hasMpi)("train --ranks 2 under Open MPI", () => {
  it("trains one network, told once, into one run", { timeout: LIMIT }, async () => {
    const result = await runCli(["train", config("whole", 8), "--ranks", "2", "--json"], { limitMs: LIMIT });
    expect(result.stderr).toContain("epoch 8/8");
    expect(result.stderr.match(/^epoch 8\/8: /gm)).toHaveLength(1);
    expect([result.code, JSON.parse(result.stdout)]).toMatchObject([0, { status: "completed", epochs: 8, steps: 16 }]);
    expect(eventsOf("whole", "ranks", "1").filter(({ type }) => type === "step")).toHaveLength(16);
    expect(existsSync(at("runs", "whole", "figures"))).toBe(true);
  });

  it("Ctrl-C leaves a checkpoint of all ranks, and --resume ends with the same bits", { timeout: LIMIT }, async () => {
    const held = at("held");
    writeFileSync(held, "");
    const file = config("whole", 8, "", heldBack(held, 6));
    const stopped = await runCli(["train", file, "--name", "stopped", "--ranks", "2", "--json"], {
      limitMs: LIMIT,
      onOutput: once(/^epoch 2\/8: /m, (child) => child.kill("SIGINT")),
    });
    expect([stopped.code, JSON.parse(stopped.stdout)]).toMatchObject([0, { status: "stopped" }]);
    const { steps } = JSON.parse(stopped.stdout) as { steps: number };
    expect(steps).toBeLessThan(16);
    rmSync(held);
    const resumed = await runCli(["train", file, "--name", "stopped", "--ranks", "2", "--resume", "--json"], { limitMs: LIMIT });
    expect(resumed.stderr).toContain(`resumed at step ${steps}`);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ status: "completed", steps: 16 });
    expect(weights("stopped").equals(weights("whole"))).toBe(true);
    const told = eventsOf("stopped").flatMap((event) => (event.type === "step" ? [event.step] : []));
    expect(told).toEqual(Array.from({ length: 16 }, (_, k) => k + 1));
  });

  it("kill -9 of one rank ends all, and the run can be resumed", { timeout: LIMIT }, async () => {
    const file = config("killed", 10_000, "checkpoint: { everySteps: 1 }");
    let pids: number[] = [];
    const killed = await runCli(["train", file, "--ranks", "2"], {
      limitMs: LIMIT,
      onOutput: once(/^epoch 2\/10000: /m, () => {
        pids = [eventsOf("killed"), eventsOf("killed", "ranks", "1")].map((events) => {
          const start = events.find(({ type }) => type === "start");
          return start?.type === "start" ? start.pid! : Number.NaN;
        });
        process.kill(pids[1]!, "SIGKILL");
      }),
    });
    expect(killed.code).not.toBe(0);
    expect(pids.map(isAlive)).toEqual([false, false]);
    const resumed = await runCli(["train", file, "--ranks", "2", "--resume", "--epochs", "4", "--json"], { limitMs: LIMIT });
    expect([resumed.code, JSON.parse(resumed.stdout)]).toMatchObject([0, { status: "completed" }]);
  });

  it("an error on one rank is told by the first, and ends all", { timeout: LIMIT }, async () => {
    for (const id of ["a", "b", "c"]) writeCase(at("broken"), goodCase(id, { shape: [32, 32, 16] }));
    // Its share of the cases is b: its header can be read, its voxels cannot.
    const file = at("broken", "b", "imaging.nii.gz");
    writeFileSync(file, readFileSync(file).subarray(0, readFileSync(file).length / 2));
    const result = await runCli(["train", smallConfig(root, { name: "broken", root: at("broken") }), "--ranks", "2"], { limitMs: LIMIT });
    expect(result.code).toBe(1);
    expect(result.stderr.match(/^voxstream: .*$/gm)).toEqual([expect.stringMatching(/^voxstream: rank 1: .*imaging\.nii\.gz.*\[ERR_TRUNCATED\]$/)]);
    expect(eventsOf("broken").at(-1)).toMatchObject({ type: "end", status: "failed" });
  });

  it("other commands say that they run alone", { timeout: LIMIT }, () => {
    const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
    const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
    const result = spawnSync("mpirun", ["-n", "2", "--oversubscribe", process.execPath, main, "inspect", at("data")], { env, encoding: "utf8" });
    expect(result.status).toBe(2);
    expect(result.stderr).toContain("inspect: must run as one process, got 2 ranks of mpirun; only train is shared by ranks [ERR_OPTION]");
  });
});

it("without Open MPI, --ranks says what to install", async () => {
  const result = await runCli(["train", config("none", 1), "--ranks", "2"], { env: { PATH: "/nowhere" } });
  expect([result.code, result.stderr]).toEqual([
    1,
    "voxstream: train --ranks: mpirun must be installed for several ranks (Debian: openmpi-bin) [ERR_ENGINE]\n",
  ]);
});
