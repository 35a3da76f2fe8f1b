import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

interface Outcome {
  readonly consumed: number;
  readonly wrong: number;
  readonly seconds: number;
  readonly bytesInUse: number;
  readonly peakPoolMb: number;
  readonly peakRssMb: number;
}

/** The budget of pooled memory that the streams are held to. */
const BUDGET_MB = 320;

test("220 volumes of 32 MB (13 GB with their copies) through a slow trainer stay below 700 MB", { timeout: 180_000 }, async () => {
  const script = fileURLToPath(new URL("./fixtures/stream-volumes.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, "220", String(BUDGET_MB), "2"]);
  const outcome = JSON.parse(stdout) as Outcome;
  console.log(outcome);
  expect(outcome).toMatchObject({ consumed: 198, wrong: 0, bytesInUse: 0 });
  expect(outcome.peakPoolMb).toBeLessThanOrEqual(BUDGET_MB);
  expect(outcome.peakRssMb).toBeLessThan(700);
});
