import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { goodCase, writeCase } from "./fixture/bad-cases.js";
import { type CliResult, runCli } from "./fixture/run-cli.js";
import { slowness } from "./fixture/slowness.js";
import { smallConfig } from "./fixture/small-config.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-interrupt-"));
const at = (...parts: string[]): string => join(root, ...parts);

beforeAll(() => {
  for (const id of ["a", "b"]) writeCase(at("data"), goodCase(id, { shape: [80, 80, 40] }));
  // More than can be predicted until the signal arrives.
  for (const id of [..."abcdefgh"]) writeCase(at("images"), goodCase(id, { shape: [80, 80, 40] }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Sends Ctrl-C as soon as stderr says `when`; gives the seconds that it took to leave. */
async function interrupted(parts: readonly string[], when: RegExp): Promise<CliResult & { readonly leaving: number }> {
  let asked: number | undefined;
  const onOutput = (child: ChildProcess, stderr: string): void => {
    if (asked !== undefined || !when.test(stderr)) return;
    asked = performance.now();
    child.kill("SIGINT");
  };
  const result = await runCli(parts, { onOutput });
  expect(asked, `${parts[0]} never said ${when}: ${result.stderr}`).toBeDefined();
  return { ...result, leaving: (performance.now() - asked!) / 1000 };
}

const unfinished = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.tmp$|\.new$|\.old$/.test(name));

it("Ctrl-C during a training leaves a checkpoint within five seconds, and --resume goes on from it", { timeout: 300_000 }, async () => {
  const config = smallConfig(root, { name: "long", root: at("data"), epochs: 10_000, patch: [16, 32, 32] });
  const stopped = await interrupted(["train", config, "--json", "--dashboard"], /epoch 2\/10000/);
  expect(stopped.leaving).toBeLessThan(5 * slowness());
  expect([stopped.code, JSON.parse(stopped.stdout)]).toMatchObject([0, { status: "stopped" }]);
  const { steps } = JSON.parse(stopped.stdout) as { steps: number };
  expect(unfinished(at("runs", "long"))).toEqual([]);
  const bundle = JSON.parse(readFileSync(at("runs", "long", "checkpoints", "latest", "bundle.json"), "utf8")) as { format: string };
  expect(bundle.format).toBe("voxstream-bundle");
  const resumed = await interrupted(["train", config, "--resume", "--json"], /epoch ([3-9]|\d\d+)\/10000/);
  expect(resumed.stderr).toContain(`resumed at step ${steps}\n`);
  expect((JSON.parse(resumed.stdout) as { steps: number }).steps).toBeGreaterThan(steps);
});

it("Ctrl-C in the first epoch is no error either", { timeout: 300_000 }, async () => {
  const config = smallConfig(root, { name: "first", root: at("data"), epochs: 2, patch: [16, 32, 32], training: "stepsPerEpoch: 100000," });
  const stopped = await interrupted(["train", config, "--json"], /epoch 1\/2 step/);
  expect([stopped.code, stopped.stderr]).toEqual([0, expect.not.stringContaining("voxstream: ")]);
  expect(JSON.parse(stopped.stdout)).toMatchObject({ status: "stopped", epochs: 0, loss: null });
});

it("Ctrl-C during a prediction leaves whole files or none, and the next one does the rest", { timeout: 300_000 }, async () => {
  const bundle = at("runs", "long", "checkpoints", "latest");
  const predict = ["predict", bundle, "-i", at("images"), "-o", at("out"), "--json", "--probabilities"];
  const stopped = await interrupted(predict, /a \(1\/8\): patch/);
  expect(stopped.leaving).toBeLessThan(5 * slowness());
  expect(stopped.code).toBe(1);
  expect(JSON.parse(stopped.stdout)).toMatchObject({ error: { code: "ERR_STOPPED" } });
  expect(stopped.stderr).not.toMatch(/\n\s+at /);
  expect(unfinished(at("out"))).toEqual([]);
  for (const name of readdirSync(at("out")).filter((file) => file.endsWith(".gz"))) gunzipSync(readFileSync(at("out", name)));
  expect(existsSync(at("out", "h.nii.gz"))).toBe(false);
  const rest = await runCli([...predict, "--ids", "a,b"]);
  const { written, present } = JSON.parse(rest.stdout) as { written: string[]; present: string[] };
  expect([rest.code, [...written, ...present].sort()]).toEqual([0, ["a", "b"]]);
});

it.each([
  // All of its cases: the signal must find some that are not made.
  ["while it makes its cases", [], /1\/4 phantoms/, 1],
  ["while it trains", ["--fast"], /epoch 1\/\d+ step/, 0],
] as const)("Ctrl-C ends the demo cleanly %s", { timeout: 300_000 }, async (_, form, when, code) => {
  const folder = at(`demo-${code}`);
  const stopped = await interrupted(["demo", ...form, "--folder", folder, "--json"], when);
  expect(stopped.leaving).toBeLessThan(6 * slowness());
  expect([stopped.code, stopped.stderr]).toEqual([code, expect.not.stringMatching(/\n\s+at |UnhandledPromise/)]);
  expect(JSON.parse(stopped.stdout)).toMatchObject(code === 0 ? { status: "stopped" } : { error: { code: "ERR_STOPPED" } });
  expect(unfinished(folder)).toEqual([]);
});
