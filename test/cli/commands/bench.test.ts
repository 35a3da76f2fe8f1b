import { describe, expect, it } from "vitest";
import { runCli } from "../../e2e/fixture/run-cli.js";

interface Row {
  readonly name: string;
  readonly shape: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly runs: number;
  readonly bytes?: number;
}

const techniques = ["full", "full-linear", "mirror", "contrast", "brightness", "gamma", "noise", "blur", "rotation-scale", "elastic"];
/** Each alone, and with one and with two workers. */
const scaling = (...names: readonly string[]) => ["", "/workers-1", "/workers-2"].flatMap((workers) => names.map((name) => `${name}${workers}`));
/** Names that others compare with. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  load: scaling("load/int16-gz"),
  intensity: scaling("intensity/clip-zscore"),
  resample: scaling("resample/order3", "resample/order1", "resample/labels"),
  augment: techniques.map((technique) => `augment/8x24x32/${technique}`),
  window: scaling("window/extract-merge", "window/merge"),
};

async function rowsOf(name: string, shape: string): Promise<readonly Row[]> {
  const { code, stdout, stderr } = await runCli(["bench", name, "--shape", shape, "--runs", "3", "--json"]);
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout) as { case: string; machine: object; results: Row[] };
  expect([result.case, Object.keys(result.machine)]).toEqual([name, ["processor", "cores", "memory", "node", "kernels"]]);
  return result.results;
}

describe("voxstream bench", () => {
  it.each(Object.entries(NAMES))("%s measures what it names, on the shape that is asked for", { timeout: 300_000 }, async (name, names) => {
    const rows = await rowsOf(name, "8x24x32");
    expect(rows.map((row) => row.name)).toEqual(expect.arrayContaining([...names]));
    for (const row of rows) {
      expect(row.shape).toMatch(/^8x24x32(x1)?$/);
      expect(row.runs).toBe(3);
      expect(row.minMs).toBeGreaterThan(0);
      expect(row.minMs).toBeLessThanOrEqual(row.medianMs);
    }
  });

  it("window counts of patches that are larger than the volume what lies inside", { timeout: 300_000 }, async () => {
    const [extracted, merged] = await rowsOf("window", "8x24x32");
    const voxels = 8 * 24 * 32;
    // The prediction and the sums, which are read and written, of three classes; and the patch, which is written as a whole.
    expect([extracted!.bytes, merged!.bytes]).toEqual([4 * (voxels * (9 + 1) + 80 * 160 * 160), 4 * voxels * 9]);
  });

  it("refuses cases and shapes that are none", { timeout: 300_000 }, async () => {
    expect(await runCli(["bench", "everything"])).toMatchObject({ code: 2, stderr: expect.stringContaining("everything") });
    expect(await runCli(["bench", "window", "--shape", "8x24"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("depth, height and width"),
    });
    expect(await runCli(["bench", "window", "--shape", "1x24x24"])).toMatchObject({ code: 2, stderr: expect.stringContaining("three extents >= 2") });
  });
});
