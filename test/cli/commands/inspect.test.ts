import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePhantoms } from "../../../src/io/phantom/write-phantoms.js";
import { runCli } from "../../e2e/fixture/run-cli.js";
import { decode } from "../../evaluation/figures/pixels.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-inspect-command-"));
const at = (name: string): string => join(folder, name);
beforeAll(() => writePhantoms({ folder: at("data"), cases: 3, shape: [16, 32, 32], seed: 1 }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("voxstream inspect", () => {
  it("gives a table, JSON, CSV and pictures that say the same", { timeout: 300_000 }, async () => {
    const { code, stdout, stderr } = await runCli([
      "inspect",
      at("data"),
      "--classes",
      "background,kidney,tumor",
      "--csv",
      at("cases.csv"),
      "--png",
      at("cases.png"),
      "--workers",
      "2",
      "--json",
    ]);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    const { cases, totals, figures } = JSON.parse(stdout) as {
      cases: { id: string; classVoxels: number[]; channels: { classes: { mean: number }[] }[] }[];
      totals: { channels: { histogram: { counts: number[] }; classes: { mean: number }[] }[] };
      figures: string[];
    };
    expect(totals.channels[0]!.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(3 * 16 * 32 * 32);
    // Kidneys with contrast agent are brighter than their surroundings.
    expect(totals.channels[0]!.classes[1]!.mean).toBeGreaterThan(totals.channels[0]!.classes[0]!.mean);
    // Five columns for the tumor come last; of the kidney's five the mean is the fourth.
    const [head, first] = readFileSync(at("cases.csv"), "utf8")
      .split("\n")
      .map((line) => line.split(","));
    // The cell of the spacing holds commas in its title only, and is quoted there.
    expect(head!.join(",")).toContain('"spacing z,y,x mm"');
    expect(first!.at(-7)).toBe(String(Number(cases[0]!.channels[0]!.classes[1]!.mean.toPrecision(5))));
    expect(figures).toEqual([at("cases.png"), at("cases-volumes.png")]);
    const picture = await decode(readFileSync(at("cases.png")));
    // Three curves in three colors.
    const counts = [
      picture.count((r, g, b) => b > r + 80 && b > g + 60),
      picture.count((r, g, b) => r > b + 120 && g > b + 60),
      picture.count((r, g, b) => g > r + 60 && g > b + 40),
    ];
    for (const count of counts) expect(count).toBeGreaterThan(100);
    expect(existsSync(at("cases-volumes.png"))).toBe(true);
  });

  it("names what it cannot read and goes on, as verify does with a fix", { timeout: 300_000 }, async () => {
    writeFileSync(join(at("data"), "case_00001", "imaging.nii.gz"), "no volume");
    const inspected = await runCli(["inspect", at("data"), "--classes", "background,kidney,tumor"]);
    expect(inspected.code).toBe(1);
    expect(inspected.stdout).toMatch(/cannot be read: .*case_00001.imaging\.nii\.gz/);
    expect(inspected.stdout).toMatch(/kidney +1 +2 /);
    const verified = await runCli(["verify", at("data"), "--classes", "background,kidney,tumor"]);
    expect(verified.code).toBe(1);
    expect(verified.stdout).toMatch(/error: .*case_00001.imaging\.nii\.gz: .*\n {2}fix: /);
    expect(verified.stdout).toContain("1 errors, 0 warnings");
  });
});
