import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { runCli } from "../e2e/fixture/run-cli.js";
import { smallConfig } from "../e2e/fixture/small-config.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-crossval-killed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a cross-validation killed by SIGKILL in the middle of a fold and resumed gives the same summary, byte for byte", {
  timeout: 900_000,
}, async () => {
  const root = join(folder, "data");
  await writePhantoms({ folder: root, cases: 4, shape: [12, 24, 24], seed: 3 });
  // The process ends itself in the second epoch of the second fold, at a step that is always the same: no clock decides where it is hit.
  const hit = `callbacks: [{ onStep({ step }, { folder }) {
    if (process.env.VOX_TEST_KILL && folder.endsWith("fold-1") && step === 6) process.kill(process.pid, "SIGKILL");
  } }]`;
  const config = smallConfig(folder, {
    root,
    patch: [4, 8, 8],
    epochs: 3,
    training: `stepsPerEpoch: 4, checkpoint: { everySteps: 1 }, ${hit}`,
  });
  const crossval = (name: string, ...more: string[]): string[] => [
    "crossval",
    config,
    "--folds",
    "2",
    "--no-overlays",
    "--name",
    name,
    "--json",
    ...more,
  ];
  const whole = await runCli(crossval("whole"));
  expect([whole.code, whole.stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(whole.stdout)).toMatchObject({ status: "completed" });

  const killed = await runCli(crossval("killed"), { env: { VOX_TEST_KILL: "1" } });
  expect([killed.code, killed.stdout]).toEqual([null, ""]);
  // In the middle: the first fold is finished, the second has a checkpoint and is not trained to its end.
  expect(existsSync(join(folder, "runs", "killed", "fold-0", "fold.json"))).toBe(true);
  expect(existsSync(join(folder, "runs", "killed", "fold-1", "fold.json"))).toBe(false);
  expect(existsSync(join(folder, "runs", "killed", "fold-1", "checkpoints", "latest", "bundle.json"))).toBe(true);

  const resumed = await runCli(crossval("killed", "--resume"));
  expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringMatching(/resumed at step/)]);
  expect(JSON.parse(resumed.stdout)).toMatchObject({ status: "completed", finished: [0, 1] });
  for (const file of ["summary.json", "detailed.tsv", "confusion.json"]) {
    const of = (name: string): string => readFileSync(join(folder, "runs", name, "evaluation", file), "utf8");
    expect(of("killed")).toBe(of("whole"));
  }
});
