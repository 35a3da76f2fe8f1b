import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { elementCount, type Triple } from "../../src/core/shape.js";
import { startEngine } from "../../src/engine/index.js";
import { type PredictProgress, predict } from "../../src/inference/predict.js";
import { orientedAffine } from "../../src/io/phantom/oriented-affine.js";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { placeOnGrid } from "../../src/io/place-on-grid.js";
import { readHeader } from "../../src/io/read-header.js";
import { readVolume } from "../../src/io/read-volume.js";
import { writeVolume } from "../../src/io/write-volume.js";
import { unet } from "../../src/models/unet.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { identityBundle } from "./identity-model.js";

const CLASSES = ["background", "kidney", "tumor"];
const SHAPE: Triple = [11, 14, 17];
const SPACING: Triple = [3, 0.8, 0.9];
const PATCH: Triple = [6, 8, 8];
const folder = mkdtempSync(join(tmpdir(), "voxstream-predict-"));
const inputs = join(folder, "labels");

/** Blobs of labels: no symmetry hides a wrong flip. */
function draw(id: string, shape: Triple): Uint8Array {
  const random = new Random(1, id);
  const map = new Uint8Array(elementCount(shape));
  for (let blob = 0; blob < 6; blob++) {
    const center = shape.map((extent) => random.integer(0, extent - 1));
    const radius = random.uniform(1.5, 4);
    for (let z = 0, i = 0; z < shape[0]; z++)
      for (let y = 0; y < shape[1]; y++)
        for (let x = 0; x < shape[2]; x++, i++) if (Math.hypot(z - center[0]!, y - center[1]!, x - center[2]!) < radius) map[i] = 1 + (blob % 2);
  }
  return map;
}

async function write(
  id: string,
  orientation: Parameters<typeof orientedAffine>[2],
  shape: Triple = SHAPE,
  to = inputs,
  spacing: Triple = SPACING,
): Promise<string> {
  const { source } = placeOnGrid({
    format: "test",
    path: id,
    dimensions: 3,
    header: null,
    ...orientedAffine(shape, spacing, orientation, [5, -7, 40]),
  });
  const path = join(to, `${id}.nii.gz`);
  await writeVolume(path, draw(id, shape), [...shape, 1], source, { kind: "label" });
  return path;
}

/** Everything of a file that says where and what its voxels are. */
function stored(path: string): { header: Buffer; voxels: Buffer } {
  const bytes = gunzipSync(readFileSync(path));
  return { header: bytes.subarray(0, 352), voxels: bytes.subarray(352) };
}

beforeAll(async () => {
  await startEngine();
  mkdirSync(inputs, { recursive: true });
  await write("ras", { letters: "RAS", tilt: 0 });
  await write("lps", { letters: "LPS", tilt: 0 });
  await write("permuted", { letters: "IPL", tilt: 0 });
  await write("turned", { letters: "ASR", tilt: 0 });
  await write("oblique", { letters: "LPS", tilt: 20 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("predict", () => {
  const ids = ["lps", "oblique", "permuted", "ras", "turned"];
  const settings: [string, Parameters<typeof identityBundle>[2], object][] = [
    ["without preprocessing", [], {}],
    ["with resampling to the same spacing", [{ name: "resample", params: { spacing: SPACING, order: 3, labelOrder: 1 } }], {}],
    [
      "with padding, Gaussian weights and flips",
      [{ name: "pad", params: { minSize: [16, 16, 16], divisor: [8, 8, 8], mode: "constant", value: "minimum", labelValue: 0 } }],
      { weighting: "gaussian", flips: [0, 1, 2] },
    ],
  ];
  it.each(settings)("an identity model gives each label file back byte for byte, %s: RAS, LPS, permuted, oblique", async (name, steps, options) => {
    const output = join(folder, name.replaceAll(" ", "-"));
    const result = await predict({ bundle: identityBundle(CLASSES, PATCH, steps), inputs, output, workers: 0, ...options });
    expect(result).toEqual({ written: ids, present: [], failed: [], postprocessing: [] });
    for (const id of ids) {
      const given = stored(join(inputs, `${id}.nii.gz`));
      const predicted = stored(join(output, `${id}.nii.gz`));
      expect(Buffer.compare(predicted.voxels, given.voxels), id).toBe(0);
      expect(Buffer.compare(predicted.header, given.header), id).toBe(0);
      expect(new Set(given.voxels)).toEqual(new Set([0, 1, 2]));
    }
  });

  it("with a worker thread that loads ahead, the same files come out", async () => {
    const output = join(folder, "threaded");
    await predict({ bundle: identityBundle(CLASSES, PATCH), inputs, output, workers: 1 });
    for (const id of ids) expect(Buffer.compare(stored(join(output, `${id}.nii.gz`)).voxels, stored(join(inputs, `${id}.nii.gz`)).voxels)).toBe(0);
  });

  it("a saved bundle predicts from its folder alone what the model in memory predicts, over clip, resample and normalize", async () => {
    const images = join(folder, "phantoms");
    await writePhantoms({ folder: images, cases: 1, shape: [12, 24, 24], seed: 5 });
    const model = unet({ filters: 2, depth: 2 }).build({ shape: [8, 16, 16, 1], classes: 3, seed: 9 });
    const steps = [
      { name: "clip", params: { min: -79, max: 304 } },
      { name: "resample", params: { spacing: [3, 2, 2], order: 3, labelOrder: 1 } },
      { name: "normalize", params: { mode: "z-score", range: [0, 1], perChannel: false } },
    ];
    const { description } = identityBundle(CLASSES, [8, 16, 16], steps);
    const saved = join(folder, "bundle");
    await saveBundle(saved, model, description);
    const loaded = join(folder, "from-folder");
    const given = join(folder, "from-memory");
    await predict({ bundle: saved, inputs: images, output: loaded, workers: 0 });
    await predict({ bundle: { model, description }, inputs: images, output: given, workers: 0 });
    const [a, b] = [stored(join(loaded, "case_00000.nii.gz")), stored(join(given, "case_00000.nii.gz"))];
    expect(Buffer.compare(a.voxels, b.voxels)).toBe(0);
    // An untrained network says something everywhere; all background would prove nothing.
    expect(new Set(a.voxels).size).toBeGreaterThan(1);
    const [image, prediction] = [await readHeader(join(images, "case_00000", "imaging.nii.gz")), await readHeader(join(loaded, "case_00000.nii.gz"))];
    expect(prediction.shape).toEqual(image.shape);
    expect(prediction.source.affine).toEqual(image.source.affine);
  });

  it("averages over mirrors and quarter turns, and gives files back byte for byte; a case in which no turn is exact is refused", async () => {
    const square = join(folder, "square");
    mkdirSync(square);
    await write("lps", { letters: "LPS", tilt: 20 }, SHAPE, square, [3, 0.8, 0.8]);
    await write("turned", { letters: "ASR", tilt: 0 }, SHAPE, square, [3, 0.8, 0.8]);
    const output = join(folder, "rotated");
    const bundle = identityBundle(CLASSES, PATCH);
    await predict({ bundle, inputs: square, output, workers: 0, flips: [0, 1, 2], rotations: "auto" });
    for (const id of ["lps", "turned"]) expect(stored(join(output, `${id}.nii.gz`))).toEqual(stored(join(square, `${id}.nii.gz`)));
    expect(JSON.parse(readFileSync(join(output, "prediction.json"), "utf8"))).toMatchObject({ rotations: "auto", flips: [0, 1, 2] });
    await expect(predict({ bundle, inputs: square, output, workers: 0, flips: [0, 1, 2] })).rejects.toThrow("same bundle and settings");
    await expect(predict({ bundle, inputs, output: join(folder, "crooked"), workers: 0, rotations: ["axial"] })).rejects.toMatchObject({
      code: "ERR_GEOMETRY",
      message: expect.stringMatching(/planes in which windows are square, in voxels and in millimeters \(window \S+ and spacing /),
    });
  });

  const real = fileURLToPath(new URL("../../../shared/data/formats/anatomical_label.nii.gz", import.meta.url));
  it.skipIf(!existsSync(real))("an identity model gives a real label file back, voxel for voxel, on its own grid", async () => {
    const output = join(folder, "real");
    await predict({ bundle: identityBundle(["background", "ventricle"], [16, 16, 16]), inputs: real, output, workers: 0 });
    const [given, predicted] = [await readHeader(real), await readHeader(join(output, "anatomical_label.nii.gz"))];
    expect(predicted.source.shape).toEqual(given.source.shape);
    given.source.affine.forEach((value, i) => {
      expect(Math.abs(predicted.source.affine[i]! - value)).toBeLessThan(1e-4);
    });
    const voxels = (header: typeof given): Float32Array => {
      const data = new Float32Array(elementCount(header.shape));
      readVolume(header, data);
      return data;
    };
    const [a, b] = [voxels(given), voxels(predicted)];
    expect(a.some((value) => value === 1)).toBe(true);
    expect(b).toEqual(a);
  });

  it("after resampling to another spacing the file has the source grid, and the large structures survive", async () => {
    const output = join(folder, "resampled");
    const steps = [{ name: "resample", params: { spacing: [1.5, 0.8, 0.9], order: 0, labelOrder: 1 } }];
    await predict({ bundle: identityBundle(CLASSES, PATCH, steps), inputs, output, ids: ["oblique"], workers: 0 });
    const given = stored(join(inputs, "oblique.nii.gz"));
    const predicted = stored(join(output, "oblique.nii.gz"));
    expect(Buffer.compare(predicted.header, given.header)).toBe(0);
    const same = given.voxels.reduce((sum, value, i) => sum + (predicted.voxels[i] === value ? 1 : 0), 0);
    expect(same / given.voxels.length).toBeGreaterThan(0.95);
  });

  it("a case smaller than the patch on every axis is padded and cropped back", async () => {
    const small = join(folder, "small");
    mkdirSync(small);
    await write("tiny", { letters: "LPS", tilt: 20 }, [3, 5, 4], small);
    await predict({ bundle: identityBundle(CLASSES, PATCH), inputs: small, output: join(folder, "small-out"), workers: 0 });
    expect(stored(join(folder, "small-out", "tiny.nii.gz"))).toEqual(stored(join(small, "tiny.nii.gz")));
  });

  it("probabilities come as float maps on the source grid, one channel per class, and agree with the labels", async () => {
    const output = join(folder, "scores");
    await predict({ bundle: identityBundle(CLASSES, PATCH), inputs, output, ids: ["permuted"], probabilities: true, workers: 0 });
    const header = await readHeader(join(output, "probabilities", "permuted.nii.gz"));
    const image = await readHeader(join(inputs, "permuted.nii.gz"));
    expect(header.shape).toEqual([...SHAPE, 3]);
    expect(header.dtype).toBe("float32");
    expect(header.source.affine).toEqual(image.source.affine);
    const scores = new Float32Array(elementCount(header.shape));
    readVolume(header, scores);
    const labels = draw("permuted", SHAPE);
    for (let i = 0; i < labels.length; i++) {
      expect(scores[i * 3]! + scores[i * 3 + 1]! + scores[i * 3 + 2]!).toBeCloseTo(1, 5);
      expect(scores[i * 3 + labels[i]!]!).toBeGreaterThan(0.5);
    }
  });

  it("finished cases are left out on restart, missing ones are made, overwrite makes all again", async () => {
    const output = join(folder, "restart");
    const bundle = identityBundle(CLASSES, PATCH);
    await predict({ bundle, inputs, output, workers: 0 });
    const untouched = statSync(join(output, "ras.nii.gz")).mtimeMs;
    rmSync(join(output, "oblique.nii.gz"));
    const again = await predict({ bundle, inputs, output, workers: 0 });
    expect(again).toEqual({ written: ["oblique"], present: ["lps", "permuted", "ras", "turned"], failed: [], postprocessing: [] });
    expect(statSync(join(output, "ras.nii.gz")).mtimeMs).toBe(untouched);
    expect((await predict({ bundle, inputs, output, workers: 0, overwrite: true })).written).toEqual(ids);
  });

  it("a folder that another model or other settings began is refused unless overwritten", async () => {
    const output = join(folder, "mixed");
    await predict({ bundle: identityBundle(CLASSES, PATCH), inputs, output, ids: ["ras"], workers: 0 });
    const other = identityBundle([...CLASSES, "cyst"], PATCH);
    await expect(predict({ bundle: other, inputs, output, workers: 0 })).rejects.toThrow(
      "the folder must be new or hold predictions of the same bundle and settings",
    );
    await expect(predict({ bundle: identityBundle(CLASSES, PATCH), inputs, output, weighting: "gaussian", workers: 0 })).rejects.toMatchObject({
      code: "ERR_OPTION",
    });
    expect((await predict({ bundle: other, inputs, output, ids: ["ras"], overwrite: true, workers: 0 })).written).toEqual(["ras"]);
    // Settings of a run that failed before its first case bind nobody.
    rmSync(join(output, "ras.nii.gz"));
    expect((await predict({ bundle: identityBundle(CLASSES, PATCH), inputs, output, ids: ["ras"], workers: 0 })).written).toEqual(["ras"]);
  });

  it("progress counts windows and cases and estimates what remains", async () => {
    const seen: PredictProgress[] = [];
    await predict({ bundle: identityBundle(CLASSES, PATCH), inputs, output: join(folder, "progress"), workers: 0, onProgress: (p) => seen.push(p) });
    const written = seen.filter(({ state }) => state === "written");
    expect(written.map(({ id, done, total }) => [id, done, total])).toEqual(ids.map((id, n) => [id, n + 1, 5]));
    expect(written.at(-1)!.remainingSeconds).toBe(0);
    const windows = seen.filter(({ state, id }) => state === "predicting" && id === "lps").map((p) => p.windows!);
    expect(windows.at(-1)!.done).toBe(windows.at(-1)!.total);
    expect(seen.every(({ remainingSeconds }) => remainingSeconds === undefined || remainingSeconds >= 0)).toBe(true);
  });

  it("an unreadable file among good ones fails the run by name, or is left out and reported; nothing half-written stays", async () => {
    const mixed = join(folder, "unreadable");
    mkdirSync(mixed);
    await write("a", { letters: "RAS", tilt: 0 }, SHAPE, mixed);
    await write("c", { letters: "LPS", tilt: 0 }, SHAPE, mixed);
    const whole = readFileSync(join(mixed, "c.nii.gz"));
    writeFileSync(join(mixed, "b.nii.gz"), whole.subarray(0, whole.length / 2));
    const output = join(folder, "unreadable-out");
    const bundle = identityBundle(CLASSES, PATCH);
    await expect(predict({ bundle, inputs: mixed, output, workers: 0 })).rejects.toThrow(/b\.nii\.gz/);
    expect(readdirSync(output).filter((name) => name !== "prediction.json" && name !== "a.nii.gz")).toEqual([]);
    const result = await predict({ bundle, inputs: mixed, output, workers: 0, onError: "skip" });
    expect([...result.written, ...result.present].sort()).toEqual(["a", "c"]);
    expect(result.failed).toHaveLength(1);
    expect(result.failed[0]!.id).toBe("b");
    expect(result.failed[0]!.message).toContain("b.nii.gz");
    expect(existsSync(join(output, "b.nii.gz"))).toBe(false);
  });

  it("an abort ends with ERR_STOPPED and keeps what is finished", async () => {
    const controller = new AbortController();
    const output = join(folder, "aborted");
    const onProgress = ({ state }: PredictProgress): void => {
      if (state === "written") controller.abort();
    };
    await expect(
      predict({ bundle: identityBundle(CLASSES, PATCH), inputs, output, workers: 0, signal: controller.signal, onProgress }),
    ).rejects.toMatchObject({ code: "ERR_STOPPED" });
    expect(readdirSync(output).sort()).toEqual(["lps.nii.gz", "prediction.json"]);
  });

  it("arrays of a user's own reader are written on their own affine", async () => {
    const map = draw("arrays", SHAPE);
    const affine = [0.9, 0, 0, 1, 0, 0.8, 0, 2, 0, 0, 3, 3, 0, 0, 0, 1] as const;
    const data = {
      classes: CLASSES,
      channels: 1,
      list: async () => [{ id: "arrays", images: [] }],
      read: async () => ({ image: { data: Float32Array.from(map), shape: [...SHAPE, 1] as const, affine } }),
    };
    const output = join(folder, "arrays");
    await predict({ bundle: identityBundle(CLASSES, PATCH), inputs: data, output, workers: 0 });
    const header = await readHeader(join(output, "arrays.nii.gz"));
    const voxels = new Float32Array(map.length);
    readVolume(header, voxels);
    expect(Array.from(voxels)).toEqual(Array.from(map));
    header.source.affine.forEach((value, i) => {
      expect(value).toBeCloseTo(affine[i]!, 5);
    });
  });

  it("never writes over images, nor over label maps that no prediction wrote, also with overwrite", async () => {
    const bundle = identityBundle(CLASSES, PATCH);
    const flat = join(folder, "flat-images");
    const truth = join(folder, "truth-of-flat");
    for (const to of [flat, truth]) mkdirSync(to);
    const image = readdirSync(inputs).find((name) => name.endsWith(".nii.gz"))!;
    for (const to of [flat, truth]) copyFileSync(join(inputs, image), join(to, "a.nii.gz"));
    for (const overwrite of [false, true]) {
      await expect(predict({ bundle, inputs: flat, output: flat, overwrite })).rejects.toThrow(
        "output must be another folder than that of the images",
      );
      await expect(predict({ bundle, inputs: flat, output: truth, overwrite })).rejects.toThrow("which no prediction wrote; choose another folder");
    }
    for (const to of [flat, truth]) expect(readdirSync(to)).toEqual(["a.nii.gz"]);
  });

  it("wrong options, empty folders and unknown steps are named before anything is predicted", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const bundle = identityBundle(CLASSES, PATCH);
    const output = join(folder, "never");
    await expect(predict({ bundle, inputs, output, flip: [0] } as never)).rejects.toThrow(/^predict: .* did you mean flips\?$/);
    await expect(predict({ bundle, inputs: empty, output })).rejects.toMatchObject({ code: "ERR_EMPTY" });
    await expect(predict({ bundle, inputs, output, ids: ["nobody"] })).rejects.toThrow("ids must be cases of the input, got nobody");
    await expect(predict({ bundle, inputs, output, onError: "stop" as "skip" })).rejects.toThrow('onError must be "fail" or "skip", got "stop"');
    await expect(predict({ bundle, inputs, output, patch: [4, 8, 8] })).rejects.toThrow(
      "patch must be 6x8x8, the size that the model is fixed to, got 4x8x8",
    );
    const flips = ["depth"] as never;
    await expect(predict({ bundle, inputs, output, flips })).rejects.toThrow(/^predictor: flips must be axes 0, 1 or 2, got \["depth"\]$/);
    await expect(predict({ bundle, inputs, output, overlap: [6, 0, 0] })).rejects.toThrow("overlap must be integers >= 0 below the patch 6x8x8");
    await expect(predict({ bundle, inputs, output, batchSize: 0 })).rejects.toThrow("batchSize must be an integer >= 1, got 0");
    // Else the folder would be taken by settings that never ran.
    expect(existsSync(output)).toBe(false);
    await expect(
      predict({ bundle: identityBundle(CLASSES, PATCH, [{ name: "sharpen", params: {} }]), inputs, output, workers: 0 }),
    ).rejects.toMatchObject({ code: "ERR_BUNDLE" });
    expect(existsSync(join(output, "ras.nii.gz"))).toBe(false);
  });
});
