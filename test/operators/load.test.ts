import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaseRef, CustomCase, DataSet } from "../../src/core/case.js";
import type { RunContext } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import type { Volume } from "../../src/core/volume.js";
import { writePhantoms } from "../../src/io/index.js";
import { cases, clip, cropForeground, load, mapLabels, pad, patch, resample, skipBlank } from "../../src/operators/index.js";
import { run, to } from "../../src/streams/index.js";
import { collect, contextOf, refsOf, syntheticCase, syntheticData } from "./run-graph.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-load-"));
const file = (index: number, name: string) => join(folder, `case_0000${index}`, name);
const ref = (index: number): CaseRef => ({
  id: `case_0000${index}`,
  images: [file(index, "imaging.nii.gz")],
  label: file(index, "segmentation.nii.gz"),
});
const CLASSES = ["background", "kidney", "tumor"];

beforeAll(async () => {
  await writePhantoms({ folder, cases: 3, shape: [12, 24, 20], seed: 2 });
});
afterAll(() => rmSync(folder, { recursive: true }));

function dataOf(options: Partial<DataSet> = {}): DataSet {
  return { classes: CLASSES, channels: 1, list: async () => [], ...options };
}

const seen = ({ id, image, label, source, history, extra }: Sample) => ({
  id,
  shape: image.shape,
  spacing: image.geometry.spacing,
  labelShape: label?.shape,
  labelType: label?.dtype,
  image: (image as Volume<"float32">).data.slice(),
  source: source?.path,
  history,
  extra,
});

function loadAll(refs: readonly CaseRef[], data = dataOf(), context: Partial<RunContext> = {}, options = {}) {
  return collect(cases(data, { refs, order: "sorted" }).pipe(load(options)), contextOf(context), seen);
}

/** A case with one byte range replaced, as files of its own. */
function changed(name: string, from: string, change: (bytes: Buffer) => Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, change(readFileSync(from)));
  return path;
}

describe("load", () => {
  it("delivers canonical float32 images, uint8 labels, the source grid and a history", async () => {
    const [out] = await loadAll([ref(0)]);
    expect(out).toMatchObject({
      id: "case_00000",
      shape: [12, 24, 20, 1],
      labelShape: [12, 24, 20, 1],
      labelType: "uint8",
      source: file(0, "imaging.nii.gz"),
    });
    expect(out!.history).toEqual([{ operator: "load", params: { nonFinite: "fail", labels: "declared" } }]);
  });

  it("several files are channels", async () => {
    const [single] = await loadAll([ref(0)]);
    const [out] = await loadAll([{ ...ref(0), images: [file(0, "imaging.nii.gz"), file(0, "imaging.nii.gz")] }], dataOf({ channels: 2 }));
    expect(out!.shape).toEqual([12, 24, 20, 2]);
    expect(out!.image.filter((_, i) => i % 2 === 0)).toEqual(single!.image);
    expect(out!.image.filter((_, i) => i % 2 === 1)).toEqual(single!.image);
  });

  it("prediction loads no label, and needs none", async () => {
    const [out] = await loadAll([{ id: "case_00000", images: ref(0).images }], dataOf(), { mode: "prediction" });
    expect(out!.labelShape).toBeUndefined();
  });

  it("more than 256 classes take uint16 labels", async () => {
    const classes = Array.from({ length: 300 }, (_, i) => `class ${i}`);
    expect((await loadAll([ref(0)], dataOf({ classes })))[0]!.labelType).toBe("uint16");
  });

  describe("names the file or sample, the rule and the value when", () => {
    it("a label is missing in training", async () => {
      await expect(loadAll([{ id: "case_00000", images: ref(0).images }])).rejects.toMatchObject({
        code: "ERR_LABEL",
        message: expect.stringMatching(/must have a label.*got none.*sample case_00000/),
      });
    });

    it("labels lie outside the declared classes", async () => {
      const data = dataOf({ classes: ["background", "kidney"] });
      await expect(loadAll([ref(0)], data)).rejects.toMatchObject({
        code: "ERR_LABEL",
        message: expect.stringMatching(/declared classes.*got also 2.*sample case_00000/),
      });
      const flow = cases(data, { refs: [ref(0)] }).pipe(load({ labels: "any" }), mapLabels({ map: { 2: 1 } }));
      expect(await collect(flow, contextOf(), ({ label }) => Math.max(...(label as Volume<"uint8">).data))).toEqual([1]);
    });

    it("image and label differ in shape", async () => {
      const other = join(folder, "other");
      await writePhantoms({ folder: other, cases: 1, shape: [12, 24, 24], seed: 2 });
      const label = join(other, "case_00000", "segmentation.nii.gz");
      await expect(loadAll([{ ...ref(0), label }])).rejects.toMatchObject({
        code: "ERR_GEOMETRY",
        message: expect.stringMatching(/12x24x20.*12x24x24.*sample case_00000/),
      });
    });

    it("image and label lie in different places", async () => {
      await expect(loadAll([{ ...ref(0), label: file(1, "segmentation.nii.gz") }])).rejects.toMatchObject({ code: "ERR_GEOMETRY" });
    });

    it("the number of channels is not the declared one", async () => {
      await expect(loadAll([ref(0)], dataOf({ channels: 2 }))).rejects.toMatchObject({
        code: "ERR_SHAPE",
        message: expect.stringMatching(/2 channels.*got 1/),
      });
    });

    it("a file is cut short", async () => {
      const image = changed("cut.nii.gz", file(0, "imaging.nii.gz"), (bytes) => bytes.subarray(0, bytes.length - 2000));
      await expect(loadAll([{ ...ref(0), images: [image] }])).rejects.toMatchObject({
        code: "ERR_TRUNCATED",
        message: expect.stringContaining("cut.nii.gz"),
      });
    });

    it("a file is no NIfTI", async () => {
      const image = changed("text.nii.gz", file(0, "imaging.nii.gz"), () => gzipSync("Dear reader, this is no image."));
      await expect(loadAll([{ ...ref(0), images: [image] }])).rejects.toMatchObject({ message: expect.stringContaining("text.nii.gz") });
    });

    it("a file is not there", async () => {
      await expect(loadAll([{ ...ref(0), images: [join(folder, "nowhere.nii.gz")] }])).rejects.toMatchObject({
        code: "ERR_READ",
        message: expect.stringMatching(/nowhere\.nii\.gz.*sample case_00000/),
      });
    });
  });

  it("onError skip leaves out the unreadable case among good ones, and says which and why", async () => {
    const image = changed("cut2.nii.gz", file(1, "imaging.nii.gz"), (bytes) => bytes.subarray(0, bytes.length - 2000));
    const refs = [ref(0), { ...ref(1), images: [image] }, ref(2)];
    const context = contextOf({ onError: "skip" });
    const ids: string[] = [];
    const job = run(
      "load",
      [
        cases(dataOf(), { refs, order: "sorted" }).pipe(
          load(),
          to(({ id }) => void ids.push(id)),
        ),
      ],
      { context },
    );
    await job.done;
    expect(ids).toEqual(["case_00000", "case_00002"]);
    expect(job.graph.skipped).toEqual([expect.objectContaining({ id: "case_00001", message: expect.stringContaining("cut2.nii.gz") })]);
    expect(context.pool.bytesInUse).toBe(0);
  });

  it("all memory comes back after a failure", async () => {
    const context = contextOf();
    const image = changed("cut3.nii.gz", file(1, "imaging.nii.gz"), (bytes) => bytes.subarray(0, bytes.length - 2000));
    const refs = [ref(0), { ...ref(1), images: [image] }, ref(2)];
    await expect(collect(cases(dataOf(), { refs, order: "sorted" }).pipe(load()), context, () => 0)).rejects.toThrow();
    expect(context.pool.bytesInUse).toBe(0);
  });

  describe("of a custom reader", () => {
    const custom = (change: (value: CustomCase) => CustomCase) =>
      syntheticData(1, [4, 6, 5, 1], () => change(syntheticCase("case_00", [4, 6, 5, 1])));
    const loadOne = (change: (value: CustomCase) => CustomCase, options = {}) => loadAll(refsOf(1), custom(change), {}, options);

    it("takes arrays and affine as they come when they lie in canonical orientation", async () => {
      const [out] = await loadOne((value) => value);
      expect(out).toMatchObject({ shape: [4, 6, 5, 1], spacing: [3, 1.5, 1.5], source: "case_00" });
    });

    it("predictions need no label, whatever steps follow in one task", async () => {
      const steps = [
        [resample({ spacing: [1.5, 3, 3] })],
        [pad({ divisor: 8 }), clip({ min: -100, max: 100 })],
        [cropForeground({ above: 0 })],
      ] as const;
      for (const delivered of [(value: CustomCase) => value, ({ image }: CustomCase): CustomCase => ({ image })]) {
        for (const chain of steps) {
          const through = (data: DataSet, mode: RunContext["mode"]) => {
            const flow = cases(data, { refs: refsOf(1) }).pipe(load());
            return collect(
              chain.reduce((before, step) => before.pipe(step), flow),
              contextOf({ mode }),
              seen,
            );
          };
          const [trained] = await through(
            custom((value) => value),
            "training",
          );
          const [out] = await through(custom(delivered), "prediction");
          expect(out).toMatchObject({ shape: trained!.shape, image: trained!.image, labelShape: undefined });
        }
      }
    });

    it("NaN voxels are named, or replaced by the smallest finite one", async () => {
      const withNaN = (value: CustomCase): CustomCase => {
        value.image.data[7] = Number.NaN;
        return value;
      };
      await expect(loadOne(withNaN)).rejects.toMatchObject({
        code: "ERR_VALUES",
        message: expect.stringMatching(/got 1 NaN or infinite of 120, the first at element 7.*sample case_00/),
      });
      const [out] = await loadOne(withNaN, { nonFinite: "replace" });
      expect(out!.image[7]).toBe(Math.min(...out!.image));
    });

    it("labels must be declared integers", async () => {
      await expect(
        loadOne((value) => ({ ...value, label: { ...value.label!, data: value.label!.data.map(() => 9) as Uint8Array } })),
      ).rejects.toMatchObject({ code: "ERR_LABEL", message: expect.stringMatching(/0 to 2, got 9 at element 0 \(sample case_00\)/) });
    });

    it("shapes must fit their arrays and each other", async () => {
      await expect(loadOne((value) => ({ ...value, image: { ...value.image, shape: [4, 6, 6, 1] } }))).rejects.toMatchObject({
        code: "ERR_SHAPE",
        message: expect.stringContaining("got 120 for 4x6x6x1"),
      });
      await expect(loadOne((value) => ({ image: value.image, label: { data: new Uint8Array(80), shape: [4, 4, 5, 1] } }))).rejects.toMatchObject({
        code: "ERR_GEOMETRY",
      });
      await expect(loadOne((value) => ({ image: value.image }))).rejects.toMatchObject({ code: "ERR_LABEL" });
    });
  });
});

describe("cases", () => {
  it("come sorted outside training and in another order in every training epoch, the same for the same seed", async () => {
    const order = (mode: RunContext["mode"], seed = 1) =>
      collect(cases(dataOf(), { refs: refsOf(12), epochs: 2 }), contextOf({ mode, seed }), ({ id, epoch }) => `${epoch}:${id}`);
    const sorted = refsOf(12).map(({ id }) => id);
    expect(await order("validation")).toEqual([...sorted.map((id) => `0:${id}`), ...sorted.map((id) => `1:${id}`)]);
    const training = await order("training");
    expect([...training].sort()).toEqual([...(await order("validation"))].sort());
    expect(training.slice(0, 12).map((id) => id.slice(2))).not.toEqual(training.slice(12).map((id) => id.slice(2)));
    expect(await order("training")).toEqual(training);
    expect(await order("training", 2)).not.toEqual(training);
  });

  it("are refused when an id is unknown, double, or none is left", () => {
    expect(() => cases(dataOf(), { refs: refsOf(2), ids: ["case_07"] })).toThrow(
      "cases: ids must be in the data set, got case_07, which is none of its 2 cases",
    );
    expect(() => cases(dataOf(), { refs: [...refsOf(2), ...refsOf(1)] })).toThrow("cases: case ids must be unique, got case_00 twice");
    expect(() => cases(dataOf(), { refs: [] })).toThrow("cases: there must be at least one case, got none");
  });

  it("need a run with a context", async () => {
    await expect(run("bare", [cases(dataOf(), { refs: refsOf(1) }).pipe(to(() => 0))]).done).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});

describe("skipBlank", () => {
  it("leaves out patches without foreground and counts them; a case smaller than the patch is padded", async () => {
    const context = contextOf();
    const data = syntheticData(3, [6, 10, 8, 1], (index) => {
      const value = syntheticCase(`case_0${index}`, [6, 10, 8, 1]);
      if (index === 1) value.label!.data.fill(0);
      return value;
    });
    const shapes: (readonly number[])[] = [];
    const flow = cases(data, { refs: refsOf(3) }).pipe(
      load(),
      patch({ size: [8, 16, 8] }),
      skipBlank(),
      to(({ image }) => void shapes.push(image.shape)),
    );
    const job = run("skip", [flow], { context });
    await job.done;
    expect(shapes).toEqual([
      [8, 16, 8, 1],
      [8, 16, 8, 1],
    ]);
    expect(job.graph.skipped).toEqual([
      expect.objectContaining({ stage: "skipBlank", id: "case_01#0", message: "no foreground: 0.00 % of its voxels are not of class 0" }),
    ]);
    expect(context.pool.bytesInUse).toBe(0);
  });

  it("takes another class and another share", async () => {
    const count = async (options: Parameters<typeof skipBlank>[0]) =>
      (await collect(cases(syntheticData(1), { refs: refsOf(1) }).pipe(load(), skipBlank(options)), contextOf(), () => 1)).length;
    expect(await count({ minimalFraction: 0.01 })).toBe(1);
    expect(await count({ minimalFraction: 0.9 })).toBe(0);
    expect(await count({ class: 2, minimalFraction: 0.5 })).toBe(1);
  });
});
