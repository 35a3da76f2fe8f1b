import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Splits } from "../../../src/evaluation/index.js";
import { writePhantoms } from "../../../src/io/phantom/write-phantoms.js";
import { runCli } from "../../e2e/fixture/run-cli.js";
import { smallConfig } from "../../e2e/fixture/small-config.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-crossval-command-"));
let config = "";
const crossval = (name: string, ...more: string[]): ReturnType<typeof runCli> => runCli(["crossval", config, "--name", name, "--json", ...more]);
const splitsOf = (name: string): Splits => JSON.parse(readFileSync(join(folder, "runs", name, "splits.json"), "utf8")) as Splits;

beforeAll(async () => {
  await writePhantoms({ folder: join(folder, "data"), cases: 6, shape: [8, 16, 16], seed: 3 });
  config = smallConfig(folder, { root: join(folder, "data"), patch: [4, 8, 8], training: "stepsPerEpoch: 1" });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("voxstream crossval", () => {
  it("repeats, stratifies, groups, and draws in the way that is asked for", { timeout: 300_000 }, async () => {
    const { code, stderr } = await crossval(
      "groups",
      ...["--folds", "2", "--repeats", "2", "--stratify", "volume", "--group-by", "^(case_000)0[01]", "--fold", "0"],
      ...["--held-out", "watched", "--plane", "sagittal", "--alpha", "0.5", "--no-errors"],
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining("are held out")]);
    const splits = splitsOf("groups");
    expect(splits.map(({ repeat }) => repeat)).toEqual([0, 0, 1, 1]);
    // Cases 0 and 1 match alike; the others are groups of their own.
    for (const { validation } of splits) expect(validation.includes("case_00000")).toBe(validation.includes("case_00001"));
    expect(existsSync(join(folder, "runs", "groups", "fold-0", "overlays", `${splits[0]!.validation[0]}.gif`))).toBe(true);
  });

  it("holds out one case after the other, a share, or the cases that are named; never two ways at once", { timeout: 300_000 }, async () => {
    expect((await crossval("one", "--leave-one-out", "--fold", "5", "--no-overlays")).code).toBe(0);
    expect(splitsOf("one").map(({ validation }) => validation)).toEqual([0, 1, 2, 3, 4, 5].map((k) => [`case_0000${k}`]));
    const named = await crossval("named", "--hold-out", "case_00004,case_00001", "--postprocessing", "auto", "--no-overlays");
    expect(JSON.parse(named.stdout)).toMatchObject({
      status: "completed",
      folds: 1,
      summary: { cases: 2 },
      postprocessing: { classes: expect.any(Array) },
    });
    expect(existsSync(join(folder, "runs", "named", "fold-0", "checkpoints", "latest", "postprocessing.json"))).toBe(true);
    expect(await crossval("never", "--share", "0.5", "--leave-one-out")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("at most one of"),
    });
    expect(await crossval("never", "--group-by", "(")).toMatchObject({ code: 2, stderr: expect.stringContaining("regular expression") });
    expect(existsSync(join(folder, "runs", "never"))).toBe(false);
  });
});
