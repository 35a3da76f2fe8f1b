import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectCases, niftiCases } from "../../src/io/index.js";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-inspect-cases-"));
beforeAll(() => writePhantoms({ folder: root, cases: 2, shape: [16, 32, 32], seed: 1 }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("inspectCases", () => {
  it("warns of labels that no class declares, with their cases, and of nothing else", async () => {
    const of = async (...classes: string[]): Promise<readonly string[]> => (await inspectCases(niftiCases({ root, classes }))).warnings;
    expect(await of("background", "kidney", "tumor")).toEqual([]);
    expect(await of("background", "kidney")).toEqual([
      "label 2 is in 2 cases and no class (0 background, 1 kidney): case_00000, case_00001; name it with --classes, or map it with mapLabels",
    ]);
  });
});
