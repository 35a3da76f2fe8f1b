import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePhantoms } from "../../../src/io/phantom/write-phantoms.js";
import { runCli } from "../../e2e/fixture/run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-evaluate-command-"));
const at = (...parts: string[]): string => join(folder, ...parts);
const evaluate = (...more: string[]): ReturnType<typeof runCli> =>
  runCli(["evaluate", at("out"), at("data"), "--classes", "background,kidney,tumor", ...more]);

beforeAll(async () => {
  await writePhantoms({ folder: at("data"), cases: 2, shape: [8, 24, 24], seed: 1 });
  mkdirSync(at("out"));
  await copyFile(at("data", "case_00000", "segmentation.nii.gz"), at("out", "case_00000.nii.gz"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("voxstream evaluate", () => {
  it("prints every metric per class and region, lists what is missing, and draws as asked", { timeout: 300_000 }, async () => {
    const { code, stdout } = await evaluate(
      ...["--region", "kidney+tumor", "--tolerance", "2", "-o", at("scores"), "--overlays", at("pictures")],
      ...["--plane", "coronal", "--window=-100,300", "--alpha", "0.5", "--colors", "kidney=#00ff00"],
    );
    expect(code).toBe(0);
    const words = "dice iou sensitivity precision specificity accuracy hd hd95 assd nsd_2mm lesion_f1 volume_error volume_error_mm3".split(" ");
    for (const word of words) expect(stdout).toMatch(new RegExp(`^${word} +`, "m"));
    expect(stdout).toMatch(/^kidney\+tumor +1 +1\.000/m);
    expect(stdout).toContain("without prediction: case_00001");
    expect(readFileSync(at("scores", "detailed.tsv"), "utf8").split("\n")[0]).toContain("nsd_2mm");
    for (const name of ["case_00000.gif", "case_00000.png"]) expect(existsSync(at("pictures", name))).toBe(true);
  });

  it("takes a folder of label files for just that, whatever table lies beside them", { timeout: 300_000 }, async () => {
    mkdirSync(at("labels"));
    await copyFile(at("data", "case_00000", "segmentation.nii.gz"), at("labels", "case_00000.nii.gz"));
    writeFileSync(at("labels", "cases.csv"), "id,dose\ncase_00000,3\n");
    const run = (labels: string): ReturnType<typeof runCli> => runCli(["evaluate", at("out"), labels, "--classes", "background,kidney,tumor"]);
    expect(await run(at("labels"))).toMatchObject({ code: 0, stdout: expect.stringContaining("1.000") });
    expect(await run(at("labels", "cases.csv"))).toMatchObject({ code: 1, stderr: expect.stringContaining("the heading must have columns") });
  });

  it("takes labels and images from a CSV manifest, and asks for images where the labels tell none", { timeout: 300_000 }, async () => {
    const [image, label] = ["imaging", "segmentation"].map((name) => join("data", "case_00000", `${name}.nii.gz`));
    writeFileSync(at("cases.csv"), `id,image,label\ncase_00000,${image},${label}\n`);
    const options = ["--classes", "background,kidney,tumor", "--overlays", at("from-manifest")];
    expect(await runCli(["evaluate", at("out"), at("cases.csv"), ...options])).toMatchObject({ code: 0, stdout: expect.stringContaining("1.000") });
    expect(existsSync(at("from-manifest", "case_00000.png"))).toBe(true);
    expect(await runCli(["evaluate", at("out"), at("out"), ...options])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--images must be given with --overlays where the labels are a folder of files"),
    });
  });

  it("says what is wrong with its options", { timeout: 300_000 }, async () => {
    expect(await evaluate("--region", "kidney+liver")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--region must be classes among background, kidney, tumor, joined by +, got kidney+liver"),
    });
    expect(await evaluate("--window", "300,100")).toMatchObject({ code: 2, stderr: expect.stringContaining("the smaller first") });
    expect(await evaluate("--colors", "kidney=red")).toMatchObject({ code: 2, stderr: expect.stringContaining("kidney=#f03c3c") });
  });
});
