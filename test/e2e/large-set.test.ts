import { copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { niftiBytes } from "../io/nifti-bytes.js";
import { type CliResult, runCli } from "./fixture/run-cli.js";

/**
 * 40 cases of 157 MB in files and 262 MB in memory under a budget of 1 GB: `VOXSTREAM_LONG=1 npx vitest run test/e2e/large-set.test.ts`, minutes and 6.3 GB of
 * disk. The short form is the same in small: a set that is six times the budget.
 */
const isLong = process.env.VOXSTREAM_LONG === "1";
const SET = isLong ? { cases: 40, shape: [200, 512, 512], budget: 1024 } : { cases: 48, shape: [64, 256, 256], budget: 96 };

const root = mkdtempSync(join(tmpdir(), "voxstream-large-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Writes a NIfTI file of any size: a small one, its extents changed, and voxels slice by slice. */
function writeLarge(
  path: string,
  [depth, height, width]: readonly number[],
  dtype: "int16" | "uint8",
  voxel: (z: number, y: number, x: number) => number,
): void {
  const header = niftiBytes({ shape: [1, 1, 1], dtype, values: [0] }).subarray(0, 352);
  [width, height, depth].forEach((extent, axis) => {
    header.writeInt16LE(extent!, 42 + 2 * axis);
  });
  const file = openSync(path, "w");
  writeSync(file, header);
  const slice = dtype === "int16" ? new Int16Array(height! * width!) : new Uint8Array(height! * width!);
  for (let z = 0; z < depth!; z++) {
    for (let y = 0, at = 0; y < height!; y++) for (let x = 0; x < width!; x++, at++) slice[at] = voxel(z, y, x);
    writeSync(file, new Uint8Array(slice.buffer));
  }
}

function writeSet(folder: string, cases: number, shape: readonly number[]): void {
  const [depth, height, width] = shape;
  const inside = (z: number, y: number, x: number): number => {
    const r = ((z / depth! - 0.5) / 0.3) ** 2 + ((y / height! - 0.5) / 0.2) ** 2 + ((x / width! - 0.5) / 0.2) ** 2;
    return r < 0.2 ? 2 : r < 1 ? 1 : 0;
  };
  const first = join(folder, "case_00000");
  mkdirSync(first, { recursive: true });
  writeLarge(join(first, "imaging.nii"), shape, "int16", (z, y, x) => 120 * inside(z, y, x) - 60 + ((x * 7919 + y * 104_729 + z * 31) % 61));
  writeLarge(join(first, "segmentation.nii"), shape, "uint8", inside);
  for (let n = 1; n < cases; n++) {
    const next = join(folder, `case_${String(n).padStart(5, "0")}`);
    mkdirSync(next);
    for (const name of ["imaging.nii", "segmentation.nii"]) copyFileSync(join(first, name), join(next, name));
  }
}

/** Trains one pass over a folder of cases. */
async function trained(name: string, folder: string, memory: string): Promise<CliResult & { readonly steps: number }> {
  const config = join(root, `${name}.config.mjs`);
  writeFileSync(
    config,
    `import { augment, batch, clip, defineConfig, load, niftiCases, normalize, patch, prefetch, shuffle, tverskyLoss, unet } from "voxstream";
export default defineConfig({
  name: ${JSON.stringify(name)},
  runs: ${JSON.stringify(join(root, "runs"))},
  data: niftiCases({ root: ${JSON.stringify(folder)}, classes: ["background", "kidney", "tumor"] }),
  graph: ({ cases }) =>
    cases.pipe(load(), clip({ min: -79, max: 304 }), normalize(), patch({ size: [16, 32, 32], perCase: 4, foreground: 0.5 }), augment(), shuffle({ window: 8 }), batch({ size: 2 }), prefetch({ capacity: 2 })),
  model: unet({ filters: 4, depth: 2, normalization: "instance" }),
  loss: tverskyLoss(),
  training: { epochs: 1, learningRate: 1e-3 },
  workers: 2,
  memory: ${JSON.stringify(memory)},
});
`,
  );
  const result = await runCli(["train", config, "--json"], { limitMs: 3_000_000 });
  expect([result.code, result.stderr.includes("voxstream: ")], result.stderr.slice(-2000)).toEqual([0, false]);
  return { ...result, steps: (JSON.parse(result.stdout) as { steps: number }).steps };
}

describe("a set larger than the memory", () => {
  beforeAll(() => writeSet(join(root, "tiny"), 4, [16, 32, 32]), 60_000);

  it(`of ${SET.cases} cases trains within ${SET.budget} MB, and the process takes no more than that, ten percent, and what it takes without cases`, {
    timeout: 3_600_000,
  }, async () => {
    writeSet(join(root, "large"), SET.cases, SET.shape);
    const bytes = SET.cases * SET.shape[0]! * SET.shape[1]! * SET.shape[2]! * 3;
    expect(bytes).toBeGreaterThan(5.5 * SET.budget * 1024 ** 2);
    // Node, TensorFlow.js, the engine with its tensors, four threads; of the budget, of which the workers take 40 MB, four tiny cases use next to nothing.
    const bare = await trained("tiny", join(root, "tiny"), "48MB");
    const large = await trained("large", join(root, "large"), `${SET.budget}MB`);
    process.stderr.write(
      `${(bytes / 1e9).toFixed(2)} GB in ${SET.cases} cases, budget ${SET.budget} MB: peak ${large.peakMiB.toFixed(0)} MB in ${large.seconds.toFixed(0)} s; ${bare.peakMiB.toFixed(0)} MB without\n`,
    );
    expect(large.steps).toBe(2 * SET.cases);
    // In the long form even with all of that in it.
    if (isLong) expect(large.peakMiB).toBeLessThan(1.1 * SET.budget);
    if (large.peakMiB > 0) expect(large.peakMiB).toBeLessThan(bare.peakMiB + 1.1 * SET.budget);
  });
});
