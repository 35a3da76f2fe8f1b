import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { cacheInfo, closeCaseStores, listCache, openCaseStore, verifyCache } from "../../../src/cache/index.js";
import type { Sample } from "../../../src/core/sample.js";
import type { Volume } from "../../../src/core/volume.js";
import { cached, cases, load, normalize, patch } from "../../../src/operators/index.js";
import { collect, contextOf, refsOf, syntheticData } from "../run-graph.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-16-bits-"));
afterEach(() => closeCaseStores());
afterAll(() => rmSync(root, { recursive: true }));

const data = syntheticData(2, [12, 40, 70, 2]);

async function voxels(image: "float32" | "int16" | "float16", size: readonly [number, number, number] = [12, 40, 70]): Promise<Float32Array[]> {
  const flow = cases(data, { refs: refsOf(2), order: "sorted" }).pipe(
    cached(load(), normalize(), { folder: join(root, image), image }),
    patch({ size, mode: "grid" }),
  );
  return collect(flow, contextOf(), (sample: Sample) => (sample.image as Volume<"float32">).data.slice());
}

describe("cached images", () => {
  it.each(["int16", "float16"] as const)("as %s take half the room and differ by no more than the record says", async (form) => {
    const exact = await voxels("float32");
    const kept = await voxels(form);
    const [bytes, full] = [cacheInfo(join(root, form)).bytes, cacheInfo(join(root, "float32")).bytes];
    expect(bytes / full).toBeLessThan(0.57);
    const records = [...openCaseStore(join(root, form)).cases()].map(({ record }) => record).sort((a, b) => (a.id < b.id ? -1 : 1));
    kept.forEach((image, n) => {
      const { encoding } = records[n]!.image;
      expect(encoding?.form).toBe(form);
      for (const channel of [0, 1]) {
        let worst = 0;
        for (let i = channel; i < image.length; i += 2) worst = Math.max(worst, Math.abs(image[i]! - exact[n]![i]!));
        expect(worst).toBeLessThanOrEqual(encoding!.error[channel]!);
        expect(worst).toBeGreaterThan(0);
      }
    });
    expect(await verifyCache(join(root, form))).toEqual([]);
    expect(listCache(join(root, form))[0]).toMatchObject({ image: form, error: Math.max(...records[0]!.image.encoding!.error) });
  });

  it("are read alike whole and in crops, and what lies outside of the case is its smallest voxel", async () => {
    for (const form of ["int16", "float16"] as const) {
      const [whole] = await voxels(form);
      const [crop] = await voxels(form, [12, 40, 64]);
      for (let row = 0; row < 12 * 40; row++) {
        expect(crop!.subarray(row * 128, row * 128 + 128)).toEqual(whole!.subarray(row * 140, row * 140 + 128));
      }
      const [wide] = await voxels(form, [14, 40, 70]);
      const smallest = [0, 1].map((channel) => whole!.filter((_, i) => i % 2 === channel).reduce((a, b) => Math.min(a, b)));
      expect([wide![0], wide![1]]).toEqual(smallest);
    }
  });

  it("of whole numbers are exact as int16", async () => {
    const whole = syntheticData(1, [8, 20, 20, 1], () => ({
      image: { data: Int16Array.from({ length: 3200 }, (_, i) => (i % 4096) - 1024), shape: [8, 20, 20, 1] },
      label: { data: new Uint8Array(3200), shape: [8, 20, 20, 1] },
    }));
    const flow = cases(whole, { refs: refsOf(1) }).pipe(
      cached(load(), { folder: join(root, "whole"), image: "int16" }),
      patch({ size: [8, 20, 20], mode: "grid" }),
    );
    const [image] = await collect(flow, contextOf(), (sample: Sample) => (sample.image as Volume<"float32">).data.slice());
    expect(image).toEqual(Float32Array.from({ length: 3200 }, (_, i) => (i % 4096) - 1024));
  });

  it("beyond the range of float16 are an error with the case", async () => {
    const large = syntheticData(1, [2, 2, 2, 1], () => ({
      image: { data: new Float32Array(8).fill(1e5), shape: [2, 2, 2, 1] },
      label: { data: new Uint8Array(8), shape: [2, 2, 2, 1] },
    }));
    const flow = cases(large, { refs: refsOf(1) }).pipe(cached(load(), { folder: join(root, "large"), image: "float16" }));
    await expect(collect(flow, contextOf(), () => 0)).rejects.toMatchObject({ code: "ERR_VALUES", sampleId: "case_00" });
  });
});
