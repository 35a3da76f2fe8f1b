import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elementCount } from "../../src/core/shape.js";
import { startEngine } from "../../src/engine/index.js";
import { writeBundlePostprocessing } from "../../src/inference/bundle-postprocessing.js";
import { type PredictOptions, predict } from "../../src/inference/predict.js";
import { resolveBundles } from "../../src/inference/resolve-bundles.js";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { readHeader } from "../../src/io/read-header.js";
import { readVolume } from "../../src/io/read-volume.js";
import { unet } from "../../src/models/unet.js";
import type { PreprocessingStep } from "../../src/training/bundle/bundle-description.js";
import type { LoadedBundle } from "../../src/training/bundle/load-bundle.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { identityBundle } from "./identity-model.js";

const CLASSES = ["background", "kidney", "tumor"];
const folder = mkdtempSync(join(tmpdir(), "voxstream-ensemble-"));
const inputs = join(folder, "images");
const NORMALIZE: PreprocessingStep = { name: "normalize", params: { mode: "z-score", range: [0, 1], perChannel: false } };
const FINE: PreprocessingStep = { name: "resample", params: { spacing: [3, 1.6, 1.6], order: 1, labelOrder: 1 } };
const COARSE: PreprocessingStep = { name: "resample", params: { spacing: [5, 2.5, 2.5], order: 1, labelOrder: 1 } };

/** An untrained network says something else everywhere, and each seed something else. */
function network(seed: number, preprocessing: readonly PreprocessingStep[] = [NORMALIZE], classes = CLASSES): LoadedBundle {
  const model = unet({ filters: 2, depth: 1, normalization: "none" }).build({ shape: [8, 16, 16, 1], classes: classes.length, seed });
  // Larger logits: networks that hardly prefer anything would agree too easily.
  const logits = model.layers.at(-1) as tfl.layers.Layer;
  logits.setWeights(logits.getWeights().map((weights) => tf.mul(weights, 8)));
  const { description } = identityBundle(classes, [8, 16, 16], preprocessing);
  return { model, description: { ...description, weights: { ...description.weights, sha256: `network ${seed}` } } };
}

async function volume(...parts: string[]): Promise<Float32Array> {
  const header = await readHeader(join(folder, ...parts));
  const data = new Float32Array(elementCount(header.shape));
  readVolume(header, data);
  return data;
}

async function run(
  name: string,
  bundle: PredictOptions["bundle"],
  options: Partial<PredictOptions> = {},
): Promise<{ labels: Float32Array; scores: Float32Array }> {
  await predict({ bundle, inputs, output: join(folder, name), probabilities: true, workers: 0, ids: ["case_00001"], ...options });
  return { labels: await volume(name, "case_00001.nii.gz"), scores: await volume(name, "probabilities", "case_00001.nii.gz") };
}

function argMax(scores: Float32Array): Float32Array {
  return Float32Array.from({ length: scores.length / 3 }, (_, i) => {
    const own = scores.subarray(3 * i, 3 * i + 3);
    return own.indexOf(Math.max(...own));
  });
}

beforeAll(async () => {
  await startEngine();
  await writePhantoms({ folder: inputs, cases: 2, shape: [14, 28, 28], seed: 2 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an ensemble", () => {
  const [a, b, c] = [1, 2, 3].map((seed) => ({ bundle: () => network(seed), name: `single-${seed}` })) as [Member, Member, Member];
  interface Member {
    readonly bundle: () => LoadedBundle;
    readonly name: string;
  }

  it("is the mean of its networks' probabilities, window by window where they see the same image", async () => {
    const singles = [await run(a.name, a.bundle()), await run(b.name, b.bundle()), await run(c.name, c.bundle())];
    const { labels, scores } = await run("mean", [a.bundle(), b.bundle(), c.bundle()]);
    for (let i = 0; i < scores.length; i++)
      expect(scores[i]).toBeCloseTo((singles[0]!.scores[i]! + singles[1]!.scores[i]! + singles[2]!.scores[i]!) / 3, 5);
    expect(labels).toEqual(argMax(scores));
    // Networks that agreed everywhere would prove nothing.
    expect(singles[0]!.labels).not.toEqual(singles[1]!.labels);
  });

  it("with different preprocessing is the mean on the grid of the source, weighted by the number of networks of each kind", async () => {
    const fine = await run("fine", network(1, [FINE, NORMALIZE]));
    const fine2 = await run("fine-2", network(2, [FINE, NORMALIZE]));
    const coarse = await run("coarse", network(3, [COARSE, NORMALIZE]));
    const { labels, scores } = await run("grids", [network(1, [FINE, NORMALIZE]), network(3, [COARSE, NORMALIZE]), network(2, [FINE, NORMALIZE])]);
    expect(scores.length).toBe(14 * 28 * 28 * 3);
    let worst = 0;
    for (let i = 0; i < scores.length; i++)
      worst = Math.max(worst, Math.abs(scores[i]! - (fine.scores[i]! + fine2.scores[i]! + coarse.scores[i]!) / 3));
    expect(worst).toBeLessThan(1e-5);
    expect(labels).toEqual(argMax(scores));
  });

  it("without probabilities gives the same labels", async () => {
    await predict({
      bundle: [network(1, [FINE, NORMALIZE]), network(3, [COARSE, NORMALIZE])],
      inputs,
      output: join(folder, "bare"),
      workers: 1,
      ids: ["case_00001"],
    });
    const { labels } = await run("full", [network(1, [FINE, NORMALIZE]), network(3, [COARSE, NORMALIZE])]);
    expect(await volume("bare", "case_00001.nii.gz")).toEqual(labels);
  });

  it("by votes takes the class of most networks; its probabilities are the shares of votes", async () => {
    const singles = [await run(a.name, a.bundle()), await run(b.name, b.bundle()), await run(c.name, c.bundle())];
    const { labels, scores } = await run("vote", [a.bundle(), b.bundle(), c.bundle()], { ensemble: "vote" });
    for (let i = 0; i < labels.length; i++) {
      const votes = [0, 0, 0];
      for (const single of singles) votes[single.labels[i]!]!++;
      expect(labels[i]).toBe(votes.indexOf(Math.max(...votes)));
      expect(scores[3 * i + 1]).toBeCloseTo(votes[1]! / 3, 6);
    }
  });

  it("of 2D and 3D networks asks the flat ones in all planes; each network counts once", async () => {
    const flat = (): LoadedBundle => {
      const model = unet({ filters: 2, depth: 1, normalization: "none" }).build({ shape: [1, 8, 8, 1], classes: 3, seed: 4 });
      const { description } = identityBundle(CLASSES, [1, 8, 8], [NORMALIZE]);
      return { model, description: { ...description, weights: { ...description.weights, sha256: "flat" } } };
    };
    const planes = ["axial", "coronal", "sagittal"] as const;
    const [deep, wide] = [await run(a.name, a.bundle()), await run("planes", flat(), { planes })];
    const each = [];
    for (const plane of planes) each.push(await run(`plane-${plane}`, flat(), { planes: [plane] }));
    expect(each[0]!.scores).not.toEqual(each[1]!.scores);
    const { scores } = await run("mixed", [a.bundle(), flat()], { planes });
    for (let i = 0; i < scores.length; i++) {
      expect(wide.scores[i]).toBeCloseTo((each[0]!.scores[i]! + each[1]!.scores[i]! + each[2]!.scores[i]!) / 3, 5);
      expect(scores[i]).toBeCloseTo((deep.scores[i]! + wide.scores[i]!) / 2, 5);
    }
    await expect(run("never", [a.bundle(), b.bundle()], { planes: ["coronal"] })).rejects.toThrow("for 2D networks only, got coronal");
  });

  it("refuses bundles with other classes, and none at all", async () => {
    const other = network(2, [NORMALIZE], ["background", "kidney", "cyst"]);
    await expect(run("never", [network(1), other])).rejects.toMatchObject({
      code: "ERR_BUNDLE",
      message: expect.stringContaining("must have the same classes, got background,kidney,tumor (identity) and background,kidney,cyst (identity)"),
    });
    await expect(run("never", [])).rejects.toMatchObject({ code: "ERR_OPTION" });
    await expect(run("never", [network(1)], { ensemble: "median" as "mean" })).rejects.toThrow('ensemble must be "mean" or "vote", got "median"');
  });

  it("of a case that cannot be read leaves it out once, and goes on with the others", async () => {
    const mixed = join(folder, "broken");
    await writePhantoms({ folder: mixed, cases: 3, shape: [14, 28, 28], seed: 2 });
    writeFileSync(join(mixed, "case_00001", "imaging.nii.gz"), "no image");
    const result = await predict({
      bundle: [network(1, [FINE, NORMALIZE]), network(3, [COARSE, NORMALIZE])],
      inputs: mixed,
      output: join(folder, "broken-out"),
      workers: 0,
      onError: "skip",
    });
    expect(result).toMatchObject({ written: ["case_00000", "case_00002"], failed: [{ id: "case_00001" }] });
  });
});

describe("the folder of a cross-validation", () => {
  const runFolder = join(folder, "cv");
  const bundleOf = (fold: number): string => join(runFolder, `fold-${fold}`, "checkpoints", "best");
  beforeAll(async () => {
    mkdirSync(runFolder);
    writeFileSync(join(runFolder, "cross-validation.json"), JSON.stringify({ folds: 2, checkpoint: "best" }));
    for (const fold of [0, 1]) {
      const { model, description } = network(1 + fold);
      await saveBundle(bundleOf(fold), model, description);
      writeFileSync(join(runFolder, `fold-${fold}`, "fold.json"), "{}");
    }
  });

  it("stands for the bundles of its folds", async () => {
    expect(await resolveBundles(runFolder)).toEqual([bundleOf(0), bundleOf(1)]);
    expect(await resolveBundles(bundleOf(1))).toEqual([bundleOf(1)]);
    const { labels } = await run("cv-out", runFolder);
    expect(labels).toEqual((await run("cv-given", [network(1), network(2)])).labels);
    rmSync(join(runFolder, "fold-1", "fold.json"));
    await expect(resolveBundles(runFolder)).rejects.toThrow(
      "all 2 folds of a cross-validation must be trained before they predict together, but fold 1 is not",
    );
    writeFileSync(join(runFolder, "fold-1", "fold.json"), "{}");
  });

  it("brings the postprocessing that was chosen on validation; it can be left out or replaced", async () => {
    const raw = (await run("raw", runFolder, { postprocessing: "none" })).labels;
    expect(raw.includes(1) && raw.includes(2)).toBe(true);
    const content = {
      format: "voxstream-postprocessing",
      steps: [{ operation: "minimalSize", classes: ["kidney"], size: 1e9, unit: "mm3" }],
      evidence: null,
    } as const;
    await writeBundlePostprocessing(bundleOf(0), content);
    await expect(run("differ", runFolder)).rejects.toThrow(
      'postprocessing must be "none" or given in steps, because the bundles name different ones',
    );
    await writeBundlePostprocessing(bundleOf(1), content);
    expect((await run("chosen", runFolder)).labels).toEqual(raw.map((label) => (label === 1 ? 0 : label)));
    const given = await run("given", runFolder, { postprocessing: [{ operation: "minimalSize", classes: ["tumor"], size: 1e9, unit: "voxels" }] });
    expect(given.labels).toEqual(raw.map((label) => (label === 2 ? 0 : label)));
    await expect(run("chosen", runFolder, { postprocessing: "none" })).rejects.toMatchObject({ code: "ERR_OPTION" });
    writeFileSync(join(bundleOf(0), "postprocessing.json"), '{"format":"voxstream-postprocessing","steps":[{"operation":"erode"}],"evidence":null}');
    await expect(run("bad", runFolder)).rejects.toMatchObject({ code: "ERR_BUNDLE", message: expect.stringContaining("steps.0.operation") });
  });
});

describe("a folder in which a run was killed while it wrote", () => {
  it("is cleared of the old half-written file of a case when that case is predicted, and of nothing else", async () => {
    const output = join(folder, "leftovers");
    mkdirSync(output);
    const old = new Date(Date.now() - 3_600_000);
    const files = { stale: ".case_00001.nii.gz.abc.tmp", young: ".case_00001.nii.gz.def.tmp", other: ".case_00009.nii.gz.abc.tmp" };
    for (const name of Object.values(files)) writeFileSync(join(output, name), "half");
    utimesSync(join(output, files.stale), old, old);
    utimesSync(join(output, files.other), old, old);
    await run("leftovers", network(1));
    expect(() => readFileSync(join(output, files.stale))).toThrow("ENOENT");
    expect(readFileSync(join(output, files.young), "utf8")).toBe("half");
    expect(readFileSync(join(output, files.other), "utf8")).toBe("half");
  });
});
