import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { elementCount } from "../../src/core/shape.js";
import { evaluate } from "../../src/evaluation/index.js";
import { readHeader, readLabel, writeVolume } from "../../src/io/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const data = join(root, "../shared/data/ct-abdomen");
const program = join(root, "dist/cli/main.js");
const classes = ["background", "spleen", "right kidney", "left kidney", "liver"];

const folder = mkdtempSync(join(tmpdir(), "voxstream-real-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Trains examples/organs.config.mjs on the real CT and predicts that very case. */
async function trainAndPredict(epochs: number): Promise<string> {
  const run = promisify(execFile);
  const env = { ...process.env, ORGANS: data, VOXSTREAM_CACHE: join(folder, "cache") };
  const config = join(root, "examples/organs.config.mjs");
  const runs = join(folder, `runs-${epochs}`);
  await run(process.execPath, [program, "train", config, "--runs", runs, "--epochs", String(epochs)], { env, maxBuffer: 1 << 26 });
  const output = join(folder, `predictions-${epochs}`);
  await run(process.execPath, [program, "predict", join(runs, "organs/checkpoints/latest"), "-i", data, "-o", output], { env, maxBuffer: 1 << 26 });
  return output;
}

describe.skipIf(!existsSync(data))("a real CT in KiTS layout", () => {
  it("trains and comes back on its own grid", { timeout: 300_000 }, async () => {
    const predictions = await trainAndPredict(1);
    const image = await readHeader(join(data, "case_00000/imaging.nii.gz"));
    const prediction = await readHeader(join(predictions, "case_00000.nii.gz"));
    expect(prediction.source.shape).toEqual(image.source.shape);
    const difference = prediction.source.affine.map((value, i) => Math.abs(value - image.source.affine[i]!));
    expect(Math.max(...difference)).toBeLessThanOrEqual(1e-4);
  });

  // Minutes of training: VOXSTREAM_LONG=1 npx vitest run test/e2e/real-case.test.ts
  it.skipIf(!process.env.VOXSTREAM_LONG)("is overfitted to a mean Dice of 0.9", { timeout: 3_600_000 }, async () => {
    const predictions = await trainAndPredict(30);
    const { summary } = await evaluate({ predictions, labels: await organLabels(), classes });
    console.log(summary.meanOverClasses.dice);
    expect(summary.meanOverClasses.dice!.mean).toBeGreaterThanOrEqual(0.9);
  });
});

/** The reference with only the organs that were trained. */
async function organLabels(): Promise<string> {
  const header = await readHeader(join(data, "case_00000/segmentation.nii.gz"));
  const all = new Uint8Array(elementCount(header.shape));
  readLabel(header, all);
  const organs = all.map((label) => [0, 1, 2, 3, 0, 4][label] ?? 0);
  const output = join(folder, "labels");
  await writeVolume(join(output, "case_00000.nii.gz"), organs, header.shape, header.source, { kind: "label" });
  return output;
}
