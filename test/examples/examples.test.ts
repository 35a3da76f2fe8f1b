import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePhantoms } from "../../src/io/index.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-examples-"));
const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const [a, b] = [join(root, "a"), join(root, "b")];
const number = String.raw`\d+(\.\d+)?`;

beforeAll(async () => {
  await writePhantoms({ folder: a, cases: 3, shape: [20, 48, 48], seed: 0 });
  await writePhantoms({ folder: b, cases: 2, shape: [20, 48, 48], seed: 7 });
});
afterAll(() => rmSync(root, { recursive: true }));

/** Lines that each example prints, run as a user runs it: plain Node, and "voxstream" as the package itself. */
const EXPECTED: Readonly<Record<string, { readonly args: readonly string[]; readonly lines: readonly string[] }>> = {
  "on-the-fly.mjs": {
    args: [a],
    lines: ["batches of 2x16x32x32x1, labels uint8", `12 batches, at most ${number} MB of voxels, 0 samples left out`],
  },
  "cached.mjs": { args: [a, join(root, "cache")], lines: [1, 2, 3].map((epoch) => `epoch ${epoch}: ${number} s`) },
  "mixed.mjs": { args: [a, b], lines: ["a: (2[3-9]|3[0-7]) of 40 patches", "b: (1[0-7]|[3-9]) of 40 patches"] },
  "custom-operator.mjs": {
    args: [a, join(root, "custom-cache")],
    lines: [0, 1, 2].map((k) => `case_0000${k}: load softWindow patch negative randomOffset; offset -?0.0${number}`),
  },
  "augmentation.mjs": { args: [a, join(root, "augmentation.png")], lines: [".*augmentation.png: 16 pictures"] },
  "cross-validation.mjs": {
    args: [a, join(root, "runs"), "1"],
    lines: [
      "class +n +Dice .*",
      "-+ .*",
      "kidney +3 .*",
      "tumor +[0-3] .*",
      "mean of classes .*",
      "3 cases; .*",
      "report: .*/run/evaluation/report.html",
    ],
  },
  "another-trainer.mjs": {
    args: [a],
    lines: [...[10, 20, 30, 40].map((step) => `step ${step}: loss ${number}`), "it learns", "0 bytes still in use"],
  },
};

describe("the examples", () => {
  it("are all here", () => {
    expect(
      readdirSync(examples)
        .filter((name) => name.endsWith(".mjs") && !name.includes(".config."))
        .sort(),
    ).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))("%s prints what it says", { timeout: 180_000 }, async (name, { args, lines }) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(examples, name), ...args]);
    expect(stderr).toBe("");
    const printed = stdout.trimEnd().split("\n");
    expect(printed.length).toBe(lines.length);
    for (const [index, line] of printed.entries()) expect(line).toMatch(new RegExp(`^${lines[index]}$`));
  });

  it("a full 3-fold cross-validation takes at most 15 lines", () => {
    expect(readFileSync(join(examples, "cross-validation.mjs"), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(15);
  });
});
