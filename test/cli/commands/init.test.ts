import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageCases, intensityStatistics, loadCase, readHeader, writePhantoms, writeVolume } from "../../../src/index.js";
import { runCli } from "../../e2e/fixture/run-cli.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-init-"));
const at = (...parts: string[]): string => join(folder, ...parts);
const CLASSES = ["background", "kidney", "tumor"];
const init = (name: string, data: string, ...more: string[]): ReturnType<typeof runCli> =>
  runCli(["init", at(name), "--data", data, "--classes", CLASSES.join(","), ...more]);
const config = (name: string): string => readFileSync(at(name, "voxstream.config.mjs"), "utf8");

beforeAll(async () => {
  await writePhantoms({ folder: at("ct data"), cases: 3, shape: [16, 32, 32], seed: 1 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("voxstream init", () => {
  it("normalizes CT by the numbers of its labelled voxels, and what it writes trains", { timeout: 300_000 }, async () => {
    expect(await init("ct", at("ct data"))).toMatchObject({ code: 0 });
    const { ct } = await intensityStatistics(imageCases({ root: at("ct data"), classes: CLASSES }), { folder: at("statistics") });
    expect(ct.mean[0]).toBeGreaterThan(0);
    expect(config("ct")).toContain(`normalize({ mode: "ct", low: [${Number(ct.low[0]!.toFixed(1))}]`);
    expect(config("ct")).not.toContain("clip(");
    const trained = await runCli(["train", at("ct", "voxstream.config.mjs"), "--epochs", "1"], { cwd: folder });
    expect(trained).toMatchObject({ code: 0, stdout: expect.stringContaining("completed: 1 epoch") });
  });

  it("writes a config that trains for a folder whose name no run may have, of a single case, and warns of labels that no class has", {
    timeout: 300_000,
  }, async () => {
    await writePhantoms({ folder: at("single"), cases: 1, shape: [16, 32, 32], seed: 1 });
    const made = await init("Mein Projekt ä", at("single"), "--json");
    expect(made).toMatchObject({ code: 0 });
    expect(JSON.parse(made.stdout)).toMatchObject({ config: at("Mein Projekt ä", "voxstream.config.mjs"), warnings: [] });
    expect(config("Mein Projekt ä")).toContain('name: "Mein-Projekt-a"');
    expect(config("Mein Projekt ä")).not.toContain("split:");
    const trained = await runCli(["train", at("Mein Projekt ä", "voxstream.config.mjs"), "--epochs", "1"], { cwd: folder });
    expect(trained).toMatchObject({ code: 0, stdout: expect.stringContaining("completed: 1 epoch") });
    const poor = await runCli(["init", at("poor"), "--data", at("single"), "--classes", "background,kidney"]);
    expect(poor).toMatchObject({ code: 0, stderr: expect.stringContaining("warning: label maps also hold 2, which training refuses") });
  });

  it("clips other images at percentiles of the data, keeps a layout that was named, and never writes over a config", {
    timeout: 300_000,
  }, async () => {
    const data = imageCases({ root: at("ct data"), classes: CLASSES });
    const rows: string[] = ["id,image,label"];
    for (const ref of await data.list()) {
      const { id, image, shape } = await loadCase(data, ref);
      const { source } = await readHeader(ref.images[0]!);
      // Values from 0 up, as in MR.
      await writeVolume(
        at(`${id}.nii.gz`),
        image.map((value) => value + 1100),
        shape,
        source,
        { kind: "float" },
      );
      rows.push(`${id},${id}.nii.gz,${ref.label}`);
    }
    writeFileSync(at("list.csv"), rows.join("\n"));
    expect(await init("mr", at("list.csv"), "--layout", "csv")).toMatchObject({ code: 0 });
    expect(config("mr")).toMatch(/clip\(\{ min: \d+, max: \d+ \}\).*\n.*resample.*\n.*normalize\(\{ mode: "z-score" \}\)/);
    expect(config("mr")).toContain('layout: "csv"');
    expect(await init("mr", at("list.csv"))).toMatchObject({ code: 2, stderr: expect.stringContaining("the file must not exist yet") });
  });
});
