import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../../src/engine/index.js";
import { predict as predictHere } from "../../../src/inference/index.js";
import { writePhantoms } from "../../../src/io/phantom/write-phantoms.js";
import { unet } from "../../../src/models/index.js";
import { saveBundle } from "../../../src/training/bundle/save-bundle.js";
import { runCli } from "../../e2e/fixture/run-cli.js";
import { identityBundle } from "../../inference/identity-model.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-predict-command-"));
const at = (...parts: string[]): string => join(folder, ...parts);
const CLASSES = ["background", "kidney", "tumor"];
const NORMALIZE = { name: "normalize", params: { mode: "z-score", range: [0, 1], perChannel: false } };
const voxels = (...parts: string[]): Buffer => gunzipSync(readFileSync(at(...parts))).subarray(352);
const predict = (output: string, ...more: string[]): ReturnType<typeof runCli> =>
  runCli(["predict", at("bundle-1"), "-i", at("images"), "-o", at(output), "--json", "--threads", "1", ...more]);

beforeAll(async () => {
  await startEngine({ threads: 1 });
  await writePhantoms({ folder: at("images"), cases: 3, shape: [24, 48, 48], seed: 4 });
  for (const seed of [1, 2]) {
    const model = unet({ filters: 4, depth: 2, normalization: "none" }).build({ shape: [8, 16, 16, 1], classes: 3, seed });
    await saveBundle(at(`bundle-${seed}`), model, identityBundle(CLASSES, [8, 16, 16], [NORMALIZE]).description);
  }
  const flat = unet({ filters: 4, depth: 1, normalization: "none" }).build({ shape: [1, 16, 16, 1], classes: 3, seed: 3 });
  await saveBundle(at("bundle-2d"), flat, identityBundle(CLASSES, [1, 16, 16], [NORMALIZE]).description);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("voxstream predict", () => {
  it("killed by SIGKILL while it works, leaves whole files only, and the next one does the rest", { timeout: 300_000 }, async () => {
    // More cases than can be predicted until the signal arrives.
    await writePhantoms({ folder: at("many"), cases: 12, shape: [24, 48, 48], seed: 4 });
    const again = (...more: string[]) =>
      runCli(["predict", at("bundle-1"), "-i", at("many"), "-o", at("again"), "--json", "--threads", "1", ...more]);
    const first = await runCli(["predict", at("bundle-1"), "-i", at("many"), "-o", at("again"), "--threads", "1"], {
      onOutput: (child, stderr) => /case_00000 .*written/.test(stderr) && child.kill("SIGKILL"),
    });
    expect(first.code).toBe(null);
    expect(existsSync(at("again", "case_00011.nii.gz"))).toBe(false);
    for (const name of readdirSync(at("again")).filter((file) => !file.startsWith(".") && file.endsWith(".gz"))) voxels("again", name);
    // Other settings than before are refused.
    expect(await again("--flips")).toMatchObject({ stderr: expect.stringContaining("same bundle and settings") });
    const rest = await again("--ids", "case_00000,case_00001,case_00002");
    const { written, present } = JSON.parse(rest.stdout) as { written: string[]; present: string[] };
    expect(present).toContain("case_00000");
    await predictHere({
      bundle: at("bundle-1"),
      inputs: at("many"),
      output: at("whole"),
      workers: 0,
      ids: ["case_00000", "case_00001", "case_00002"],
    });
    expect([...present, ...written].sort()).toEqual(["case_00000", "case_00001", "case_00002"]);
    for (const id of [...present, ...written]) expect(voxels("again", `${id}.nii.gz`)).toEqual(voxels("whole", `${id}.nii.gz`));
  });

  it("takes several bundles, planes, windows and postprocessing", { timeout: 300_000 }, async () => {
    const ensemble = await runCli(
      [
        "predict",
        at("bundle-1"),
        at("bundle-2"),
        "-i",
        at("images"),
        "-o",
        at("ensemble"),
        "--ids",
        "case_00001",
        "--ensemble",
        "vote",
        "--json",
      ].concat(["--keep-largest", "kidney+tumor", "--min-size", "tumor=5voxels"]),
    );
    expect(ensemble.stderr).not.toMatch(/voxstream:/);
    expect(JSON.parse(ensemble.stdout)).toMatchObject({
      written: ["case_00001"],
      postprocessing: [
        { operation: "keepLargest", classes: ["kidney", "tumor"], count: 1 },
        { operation: "minimalSize", classes: ["tumor"], size: 5, unit: "voxels" },
      ],
    });
    const flat = await runCli(
      ["predict", at("bundle-2d"), "-i", at("images"), "-o", at("flat"), "--ids", "case_00001", "--plane", "coronal,sagittal", "--distinct"].concat(
        "--weighting",
        "gaussian",
      ),
    );
    expect([flat.code, flat.stderr]).toEqual([0, expect.stringContaining("written")]);
    expect(JSON.parse(readFileSync(at("flat", "prediction.json"), "utf8"))).toMatchObject({
      planes: ["coronal", "sagittal"],
      overlap: [0, 0, 0],
      ensemble: "mean",
      weighting: "gaussian",
    });
  });

  it("says what is wrong with its options: 2 for what cannot be read, else a sentence", { timeout: 300_000 }, async () => {
    expect(await predict("never", "--plane", "oblique")).toMatchObject({ code: 2, stderr: expect.stringContaining("axial, coronal, sagittal") });
    expect(await predict("never", "--min-size", "tumor")).toMatchObject({ code: 2, stderr: expect.stringContaining('"tumor=50" (mm³)') });
    expect(await predict("never", "--keep-largest", "liver")).toMatchObject({ stderr: expect.stringContaining("classes among kidney, tumor") });
    expect(await predict("never", "--plane", "sagittal")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("2D networks only, got sagittal"),
    });
    expect(existsSync(at("never"))).toBe(false);
  });
});
