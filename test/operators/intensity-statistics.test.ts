import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CustomCase } from "../../src/core/case.js";
import { caseIntensities, foregroundIntensities } from "../../src/io/foreground-intensities.js";
import { inspectCases, loadCase, niftiCases, writePhantoms } from "../../src/io/index.js";
import { percentilesReference } from "../../src/kernels/percentiles/reference.js";
import { intensityStatistics, normalize } from "../../src/operators/index.js";
import { syntheticData } from "./run-graph.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-intensities-"));
const folder = join(root, "kept");
const data = () => niftiCases({ root: join(root, "cases"), classes: ["background", "kidney", "tumor"] });

beforeAll(async () => {
  await writePhantoms({ folder: join(root, "cases"), cases: 3, shape: [12, 40, 40], seed: 2 });
});
afterAll(() => rmSync(root, { recursive: true }));

describe("intensityStatistics", () => {
  it("are mean, deviation and percentiles of the foreground, every case with the same weight", async () => {
    const foregrounds: Float32Array[] = [];
    for (const ref of await data().list()) {
      const { image, label } = await loadCase(data(), ref);
      foregrounds.push(image.filter((_, v) => label![v]! > 0));
    }
    const means = foregrounds.map((values) => values.reduce((sum, x) => sum + x, 0) / values.length);
    const mean = means.reduce((sum, x) => sum + x, 0) / 3;
    const variance = foregrounds.reduce((sum, values) => sum + values.reduce((own, x) => own + (x - mean) ** 2, 0) / values.length, 0) / 3;
    const { ct, cases, voxels } = await intensityStatistics(data(), { folder: "none", workers: 0 });
    expect(cases).toBe(3);
    expect(voxels).toBe(foregrounds.reduce((sum, { length }) => sum + length, 0));
    expect(ct.mode).toBe("ct");
    expect(ct.mean[0]).toBeCloseTo(mean, 4);
    expect(ct.deviation[0]).toBeCloseTo(Math.sqrt(variance), 4);
    // Whole numbers of HU: the pooled cases decide them within one.
    const each = foregrounds.map((values) => percentilesReference(values, [0.5, 99.5]));
    expect(ct.low[0]).toBeGreaterThanOrEqual(Math.min(...each.map(([low]) => low!)) - 1);
    expect(ct.high[0]).toBeLessThanOrEqual(Math.max(...each.map(([, high]) => high!)) + 1);
    // They are options of normalize as they stand.
    expect(() => normalize(ct)).not.toThrow();
    expect((await inspectCases(data())).totals.foreground).toEqual({ low: ct.low, high: ct.high, mean: ct.mean, deviation: ct.deviation });
  });

  it("are the same from worker threads, and kept until a file changes", async () => {
    const seen: string[] = [];
    const options = { folder, onCase: (id: string) => seen.push(id) };
    const first = await intensityStatistics(data(), { ...options, workers: 2 });
    expect(first).toEqual(await intensityStatistics(data(), { folder: "none", workers: 0 }));
    expect(seen.sort()).toEqual(["case_00000", "case_00001", "case_00002"]);
    expect(await intensityStatistics(data(), options)).toEqual(first);
    expect(seen).toHaveLength(3);
    const [name] = readdirSync(folder);
    writeFileSync(join(folder, name!), "{ half");
    expect(await intensityStatistics(data(), { ...options, workers: 0 })).toEqual(first);
    expect(seen).toHaveLength(6);
    utimesSync(join(root, "cases", "case_00001", "imaging.nii.gz"), 1, 1);
    await intensityStatistics(data(), { ...options, workers: 0 });
    expect(seen).toHaveLength(9);
    await intensityStatistics(data(), { ...options, ids: ["case_00002"], workers: 0 });
    expect(seen.slice(9)).toEqual(["case_00002"]);
    // What label values mean decides what is foreground.
    const merged = niftiCases({ root: join(root, "cases"), classes: ["background", "kidney", "tumor"], labels: { 2: 1 } });
    await intensityStatistics(merged, { ...options, ids: ["case_00002"], workers: 0 });
    expect(seen.slice(10)).toEqual(["case_00002"]);
  });

  it("count small foregrounds as much as large ones, channel by channel", () => {
    const large = caseIntensities(new Float32Array(200_000).fill(10), 2, new Uint8Array(100_000).fill(1))!;
    const small = caseIntensities(Float32Array.of(0, 0, 30, -5, 50, 7), 2, Uint8Array.of(0, 1, 2))!;
    expect(small.voxels).toBe(2);
    const found = foregroundIntensities([large, small])!;
    expect(found.mean).toEqual([25, 5.5]);
    expect(found.low).toEqual([10, -5]);
    expect(found.high).toEqual([50, 10]);
    expect(found.deviation[0]).toBeCloseTo(Math.sqrt((0 + 15 ** 2 + 100 + 15 ** 2) / 2), 9);
    expect(caseIntensities(new Float32Array(3), 1, new Uint8Array(3))).toBeUndefined();
  });

  it("work with custom readers, and say what is wrong", async () => {
    const custom = syntheticData(2);
    const { cases } = await intensityStatistics(custom, { folder });
    expect(cases).toBe(2);
    expect(custom.reads).toHaveLength(2);
    await expect(intensityStatistics(custom, { ids: ["case_07"] })).rejects.toThrow(
      "intensityStatistics: ids must be cases of the data set, got case_07",
    );
    await expect(intensityStatistics(custom, { workrs: 1 } as never)).rejects.toThrow(/did you mean workers\?/);
    const blank = syntheticData(
      1,
      [2, 2, 2, 1],
      (): CustomCase => ({
        image: { data: new Float32Array(8), shape: [2, 2, 2, 1] },
        label: { data: new Uint8Array(8), shape: [2, 2, 2, 1] },
      }),
    );
    await expect(intensityStatistics(blank)).rejects.toMatchObject({ code: "ERR_EMPTY" });
    const cut = join(root, "cut");
    cpSync(join(root, "cases", "case_00000"), join(cut, "case_00000"), { recursive: true });
    const image = join(cut, "case_00000", "imaging.nii.gz");
    writeFileSync(image, readFileSync(image).subarray(0, 2000));
    const broken = niftiCases({ root: cut, classes: ["background", "kidney", "tumor"] });
    await expect(intensityStatistics(broken, { folder: "none", workers: 1 })).rejects.toMatchObject({
      code: "ERR_TRUNCATED",
      sampleId: "case_00000",
    });
  });
});
