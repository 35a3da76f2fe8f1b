import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runCli } from "../../e2e/fixture/run-cli.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-phantom-"));
afterAll(() => rmSync(root, { recursive: true }));

it("never writes over cases unless asked to", { timeout: 300_000 }, async () => {
  const phantom = (...args: string[]) => runCli(["phantom", root, "--cases", "1", "--shape", "8x16x16", ...args]);
  const image = () => readFileSync(join(root, "case_00000", "imaging.nii.gz"));
  expect((await phantom()).code).toBe(0);
  const first = image();
  const refused = await phantom("--seed", "7");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`phantom: the folder must hold no cases yet, got ${join(root, "case_00000")} (another folder, or --overwrite)`);
  expect(image().equals(first)).toBe(true);
  expect((await phantom("--seed", "7", "--overwrite")).code).toBe(0);
  expect(image().equals(first)).toBe(false);
});
