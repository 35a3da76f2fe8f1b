import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaseRef, DataSet } from "../../../src/core/case.js";
import type { Sample } from "../../../src/core/sample.js";
import { SlabPool } from "../../../src/core/slab-pool.js";
import type { Volume } from "../../../src/core/volume.js";
import { FileVolume, writePhantoms } from "../../../src/io/index.js";
import { batch, cases, clip, load, normalize, patch, planMemory, recordOperators } from "../../../src/operators/index.js";
import { collect, contextOf } from "../run-graph.js";

const MB = 1024 ** 2;
const root = mkdtempSync(join(tmpdir(), "voxstream-large-"));
const refs = (suffix: string): CaseRef[] =>
  [0, 1].map((k) => ({
    id: `case_0000${k}`,
    images: [join(root, `case_0000${k}`, `imaging${suffix}`)],
    label: join(root, `case_0000${k}`, `segmentation${suffix}`),
  }));
const data: DataSet = { classes: ["background", "kidney", "tumor"], channels: 1, list: async () => refs(".nii") };

beforeAll(async () => {
  // 64 x 160 x 160 voxels: 7.8 MB of image and label.
  await writePhantoms({ folder: root, cases: 2, shape: [64, 160, 160], seed: 8 });
  for (const { images, label } of refs(".nii")) for (const path of [...images, label!]) writeFileSync(path, gunzipSync(readFileSync(`${path}.gz`)));
});
afterAll(() => rmSync(root, { recursive: true }));

const flow = (suffix: string) =>
  cases(data, { refs: refs(suffix), epochs: 2 }).pipe(
    load(),
    patch({ size: [24, 48, 48], perCase: 4, foreground: 0.5 }),
    clip({ min: -100, max: 300 }),
    batch({ size: 2 }),
  );

describe("a case that is larger than the memory budget", () => {
  it("streams from uncompressed files, patch by patch, with the same batches", async () => {
    const see = ({ image, label, parts }: { image: { data: Float32Array }; label?: { data: ArrayLike<number> }; parts: unknown }) =>
      JSON.stringify([parts, image.data.reduce((a, b, i) => a + b * (i % 13), 0), Array.from(label!.data).reduce((a, b) => a + b, 0)]);
    const plain = await collect(flow(".nii") as never, contextOf(), see as never);
    const pool = new SlabPool({ budget: 6 * MB });
    expect(await collect(flow(".nii") as never, contextOf({ pool }), see as never)).toEqual(plain);
    expect(plain.length).toBe(8);
    expect(pool.peakBytes).toBeLessThanOrEqual(6 * MB);
    expect(pool.bytesInUse).toBe(0);
  });

  it("stays on disk only when it has to, and patches beyond its border are filled with its smallest voxel", async () => {
    const wide = () => cases(data, { refs: refs(".nii").slice(0, 1) }).pipe(load(), patch({ size: [70, 20, 20], mode: "grid" }));
    const isOnDisk = async (budget: number) => {
      const context = contextOf({ pool: new SlabPool({ budget }) });
      const [sample] = await collect(
        cases(data, { refs: refs(".nii").slice(0, 1) }).pipe(load()),
        context,
        (one: Sample) => one.image instanceof FileVolume,
      );
      return sample;
    };
    expect([await isOnDisk(6 * MB), await isOnDisk(64 * MB)]).toEqual([true, false]);
    const first = async (budget: number) =>
      (await collect(wide(), contextOf({ pool: new SlabPool({ budget }) }), (one: Sample) => (one.image as Volume<"float32">).data.slice()))[0]!;
    expect(await first(6 * MB)).toEqual(await first(64 * MB));
  });

  it("is refused with the numbers and the way out when its files are compressed, or something needs it whole", async () => {
    const pool = () => new SlabPool({ budget: 6 * MB });
    await expect(collect(flow(".nii.gz"), contextOf({ pool: pool() }), () => 0)).rejects.toMatchObject({
      code: "ERR_MEMORY",
      sampleId: expect.stringMatching(/^case_0000/),
      message: expect.stringMatching(
        /an item of 7\.8 MB must fit .* of 6\.0 MB less 1\.5 MB for later stages; compressed files must be read whole: decompress the case to \.nii/,
      ),
    });
    const whole = cases(data, { refs: refs(".nii") }).pipe(load(), normalize(), patch({ size: [24, 48, 48] }));
    await expect(collect(whole, contextOf({ pool: pool() }), () => 0)).rejects.toMatchObject({
      code: "ERR_MEMORY",
      message: expect.stringMatching(/normalize needs the whole case: put patch directly behind load/),
    });
  });

  it("is no obstacle for the memory plan, unless it is compressed", async () => {
    const plan = (suffix: string) =>
      planMemory({ operators: recordOperators(() => flow(suffix)), data, refs: refs(suffix), mode: "training", budget: 6 * MB });
    const { least, stages } = await plan(".nii");
    expect(least).toBeLessThan(6 * MB);
    expect(stages.map(({ stage }) => stage)).toEqual(["patch", "batch", "trainer"]);
    await expect(plan(".nii.gz")).rejects.toThrow(
      /must hold case case_0000\d .*; of cases that are stored as \.nii, not \.nii\.gz, patch reads only what it needs/,
    );
  });
});
