import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../../src/core/shape.js";
import { inspectCases, niftiCases, PHANTOM_CLASSES, readCase, readCaseHeader, verifyCases, writePhantoms } from "../../../src/io/index.js";
import { scratchFolder } from "../scratch-folder.js";

const { root } = scratchFolder();
const shape = [24, 48, 48] as const;

async function voxels(folder: string): Promise<{ id: string; orientation: string; image: Float32Array; label: Uint8Array }[]> {
  const data = niftiCases({ root: folder, classes: PHANTOM_CLASSES });
  return Promise.all(
    (await data.list()).map(async (ref) => {
      const header = await readCaseHeader(ref, { classes: data.classes, channels: 1, needsLabel: true });
      const image = new Float32Array(elementCount(header.shape));
      const label = new Uint8Array(image.length);
      readCase(header, { image, label }, { classes: data.classes });
      return { id: ref.id, orientation: header.source.orientation, image, label };
    }),
  );
}

const meanOf = (values: Float32Array, where: (n: number) => boolean): number => {
  const chosen = values.filter((_, n) => where(n));
  return chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
};

describe("writePhantoms", () => {
  it("makes the same voxels from the same seed, and a case does not depend on the others", async () => {
    await writePhantoms({ folder: join(root, "a"), cases: 4, shape, seed: 7 });
    await writePhantoms({ folder: join(root, "b"), cases: 2, first: 2, shape, seed: 7 });
    await writePhantoms({ folder: join(root, "c"), cases: 1, first: 2, shape, seed: 8 });
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => voxels(join(root, name))));
    expect(b!.map(({ id }) => id)).toEqual(["case_00002", "case_00003"]);
    expect(b![0]!.image).toEqual(a![2]!.image);
    expect(b![1]!.label).toEqual(a![3]!.label);
    expect(c![0]!.image).not.toEqual(a![2]!.image);
    // Bit for bit on every machine.
    const hash = createHash("sha256");
    for (const { image, label } of a!) hash.update(new Uint8Array(image.buffer)).update(label);
    expect(hash.digest("hex").slice(0, 16)).toMatchInlineSnapshot(`"326c48a8358faade"`);
  });

  it("stores cases in four orientations", async () => {
    const infos = await writePhantoms({ folder: join(root, "four"), cases: 4, shape, seed: 1 });
    expect(infos.map(({ orientation }) => orientation)).toEqual(["RAS", "LPS", "IPL", "LPS tilted 20°"]);
    expect((await voxels(join(root, "four"))).map(({ orientation }) => orientation)).toEqual(["RAS", "LPS", "IPL", "LPS"]);
    for (const { spacing } of infos) {
      expect(spacing[0]).toBeGreaterThan(3);
      expect(spacing[0]).toBeLessThan(3.45);
      expect(spacing[1]).toBe(spacing[2]);
    }
    expect(new Set(infos.map(({ spacing }) => spacing.join())).size).toBe(4);
  });

  it("looks like CT: air, fat, tissue and bone, kidneys brighter than tumors, tumors in most cases", async () => {
    const folder = join(root, "many");
    const infos = await writePhantoms({ folder, cases: 20, shape, seed: 3 });
    expect(infos.filter(({ tumors }) => tumors > 0).length).toBeGreaterThanOrEqual(15);
    expect(Math.max(...infos.map(({ tumors }) => tumors))).toBeLessThanOrEqual(3);
    expect(new Set(infos.map(({ tumors }) => tumors)).size).toBeGreaterThanOrEqual(3);
    for (const { image, label } of await voxels(folder)) {
      const kidney = meanOf(image, (n) => label[n] === 1);
      const tumor = meanOf(image, (n) => label[n] === 2);
      expect(kidney).toBeGreaterThan(100);
      expect(kidney).toBeLessThan(220);
      if (!Number.isNaN(tumor)) {
        expect(tumor).toBeGreaterThan(20);
        expect(tumor).toBeLessThan(kidney - 8);
      }
      const share = (from: number, to: number): number => image.filter((value) => value >= from && value < to).length / image.length;
      expect(share(-1100, -800)).toBeGreaterThan(0.25);
      expect(share(-160, -40)).toBeGreaterThan(0.08);
      expect(share(-20, 120)).toBeGreaterThan(0.1);
      expect(share(250, 2000)).toBeGreaterThan(0.001);
      const kidneyShare = label.filter((value) => value === 1).length / label.length;
      expect(kidneyShare).toBeGreaterThan(0.004);
      expect(kidneyShare).toBeLessThan(0.03);
    }
  });

  it("passes verification, and inspection counts its classes", async () => {
    const data = niftiCases({ root: join(root, "four"), classes: PHANTOM_CLASSES });
    expect(await verifyCases(data)).toEqual([]);
    const { cases, failed, totals } = await inspectCases(data);
    expect(failed).toEqual([]);
    expect(cases.map(({ dtype }) => dtype)).toEqual(["int16", "int16", "int16", "int16"]);
    expect(totals).toMatchObject({ cases: 4, labelled: 4, voxels: 4 * elementCount(shape), minShape: shape, maxShape: shape, medianShape: shape });
    expect(totals.classVoxels.reduce((sum, count) => sum + count, 0)).toBe(totals.voxels);
    expect(totals.classCases[1]).toBe(4);
  });

  it("refuses wrong options and stops on request", async () => {
    const folder = join(root, "never");
    await expect(writePhantoms({ folder: "", cases: 1 })).rejects.toThrow('writePhantoms: folder must be a path, got ""');
    await expect(writePhantoms({ folder, cases: 0 })).rejects.toThrow("writePhantoms: cases must be a positive integer, got 0");
    await expect(writePhantoms({ folder, cases: 1, shape: [4, 96, 96] })).rejects.toThrow(
      "writePhantoms: shape must be three integers of at least 8, got [4,96,96]",
    );
    await expect(writePhantoms({ folder, cases: 1, spacing: [0, 1, 1] })).rejects.toThrow(
      "writePhantoms: spacing must be three positive numbers, got [0,1,1]",
    );
    await expect(writePhantoms({ folder, cases: 1, seed: 0.5 })).rejects.toThrow("writePhantoms: seed must be an integer, got 0.5");
    await expect(writePhantoms({ folder, cases: 1, first: -1 })).rejects.toThrow("writePhantoms: first must be an integer of at least 0, got -1");
    await expect(writePhantoms({ folder, cases: 1, shape, signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
  });
});
