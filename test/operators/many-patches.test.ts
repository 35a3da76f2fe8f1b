import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

/** `VOXSTREAM_CASES=5000 npx vitest run test/operators/many-patches.test.ts` streams 200,000 patches; CI is content with fewer. */
const CASES = Number(process.env.VOXSTREAM_CASES ?? 250);
const PER_CASE = 40;

interface Outcome {
  readonly patches: number;
  /** Heap and array buffers at the end, less those after a quarter of the patches. */
  readonly grownKb: number;
  readonly rssMb: number;
  readonly bytesInUse: number;
}

it(`${CASES} small cases and ${CASES * PER_CASE} patches stream with flat memory`, { timeout: 120_000 + 120 * CASES }, async () => {
  const script = fileURLToPath(new URL("./fixtures/many-patches.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, String(CASES), String(PER_CASE)]);
  const outcome = JSON.parse(stdout) as Outcome;
  console.log(outcome);
  expect(outcome).toMatchObject({ patches: CASES * PER_CASE, bytesInUse: 0 });
  expect(outcome.grownKb).toBeLessThan(2_000);
  expect(outcome.rssMb).toBeLessThan(300);
});
