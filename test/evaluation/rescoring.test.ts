import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CrossValidation, crossValidate } from "../../src/evaluation/cross-validate.js";
import { readBundlePostprocessing } from "../../src/inference/index.js";
import { resolveBundles } from "../../src/inference/resolve-bundles.js";
import { imageCases } from "../../src/io/index.js";
import { normalize } from "../../src/operators/intensity/normalize.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import type { TrainingConfig } from "../../src/training/index.js";
import { runCli } from "../e2e/fixture/run-cli.js";
import { smallConfig } from "../e2e/fixture/small-config.js";
import { pngBytes } from "../io/format-bytes.js";
import { smallCrossValidation } from "./small-cross-validation.js";

const { config, folder, events, json, remove, root, runs, text, validate } = await smallCrossValidation();
afterAll(remove);

const steps = (name: string): number[] => [0, 1].map((fold) => events(name, `fold-${fold}`).filter(({ type }) => type === "step").length);
/** Rises with every call: the first epoch is the best. */
let calls = 0;
const wornLoss = (): tf.Scalar => tf.scalar(++calls);
const shared = {
  name: "again",
  folds: 2,
  config: {
    ...config,
    split: { validation: 0.5 },
    metrics: [...config.metrics!, wornLoss],
    // The weights of two epochs must differ in what they predict.
    training: { ...config.training, learningRate: 0.1, monitor: "val_wornLoss" },
  },
};

describe("a finished cross-validation that is resumed with other settings of its scores trains nothing, and", () => {
  let first: CrossValidation;
  beforeAll(async () => {
    first = await validate(shared);
    expect(first).toMatchObject({ status: "completed", rescored: [] });
  }, 300_000);

  it("scores regions and another tolerance, tells so, and keeps them when nothing is said", { timeout: 300_000 }, async () => {
    const before = readFileSync(join(runs, "again", "fold-0", "predictions", "prediction.json"), "utf8");
    const { mtimeMs } = statSync(join(runs, "again", "fold-0", "predictions", `${first.splits[0]!.validation[0]}.nii.gz`));
    const told: unknown[] = [];
    const more = { resume: true, regions: { mass: [1, 2] }, tolerance: 3, onRescore: (one: unknown) => told.push(one) };
    const second = await validate({ ...shared, ...more });
    expect(second).toMatchObject({ status: "completed", finished: [0, 1], rescored: [0, 1] });
    expect(told).toEqual([0, 1].map((fold) => ({ fold, folder: join(runs, "again", `fold-${fold}`), changed: ["regions", "tolerance"] })));
    expect(Object.keys(second.summary!.classes)).toEqual(["kidney", "tumor", "mass"]);
    expect(Object.keys(second.summary!.classes.mass!.metrics)).toContain("nsd_3mm");
    expect(second.summary!.classes.kidney!.metrics.dice).toEqual(first.summary!.classes.kidney!.metrics.dice);
    expect(readFileSync(second.report!, "utf8")).toContain("<th>mass");
    expect(steps("again")).toEqual([2, 2]);
    // The same predictions, not made again.
    expect(readFileSync(join(runs, "again", "fold-0", "predictions", "prediction.json"), "utf8")).toBe(before);
    expect(statSync(join(runs, "again", "fold-0", "predictions", `${first.splits[0]!.validation[0]}.nii.gz`)).mtimeMs).toBe(mtimeMs);

    const third = await validate({ ...shared, resume: true });
    expect(third.rescored).toEqual([]);
    expect(third.summary).toEqual(second.summary);
    expect((await validate({ ...shared, resume: true, regions: {}, tolerance: 1 })).summary).toEqual(first.summary);
  });

  it("one fold alone, then the others, never sums up what was scored in two ways", { timeout: 300_000 }, async () => {
    const one = await validate({ ...shared, fold: 1, regions: { mass: [1, 2] } });
    expect(one).toMatchObject({ status: "partial", finished: [1], rescored: [1], summary: undefined });
    expect(await validate({ ...shared, resume: true })).toMatchObject({ status: "completed", rescored: [0], finished: [0, 1] });
  });

  it("predicts with the weights of another checkpoint, whose predictions replace the others, also when it was killed in between", {
    timeout: 300_000,
  }, async () => {
    const weightsOf = (kind: string): string =>
      json<{ weights: { sha256: string } }>("again", "fold-0", "checkpoints", kind, "bundle.json").weights.sha256;
    const used = (): string => json<{ weights: string[] }>("again", "fold-0", "predictions", "prediction.json").weights[0]!;
    expect(used()).toBe(weightsOf("latest"));
    expect(weightsOf("best")).not.toBe(weightsOf("latest"));
    const stopAtBest = (): Promise<CrossValidation> => {
      const controller = new AbortController();
      const onPredict = ({ state }: { readonly state: string }): void => {
        if (state === "written") controller.abort();
      };
      return validate({ ...shared, resume: true, checkpoint: "best", signal: controller.signal, onPredict });
    };
    expect((await stopAtBest()).status).toBe("stopped");
    expect(used()).toBe(weightsOf("best"));
    // Somebody thinks better of it: half of the predictions are others by now.
    expect(await validate({ ...shared, resume: true, checkpoint: "latest" })).toMatchObject({ status: "completed", rescored: [0] });
    expect(used()).toBe(weightsOf("latest"));
    expect((await stopAtBest()).status).toBe("stopped");
    const { rescored, status } = await validate({ ...shared, resume: true });
    expect([status, rescored]).toEqual(["completed", [0, 1]]);
    expect(used()).toBe(weightsOf("best"));
    expect(steps("again")).toEqual([2, 2]);
    expect((await resolveBundles(join(runs, "again")))[0]).toContain("best");
  });

  it("does so with pictures, whose predictions are pictures", { timeout: 300_000 }, async () => {
    const pictures = join(folder, "pictures");
    for (const place of ["images", "masks"]) mkdirSync(join(pictures, place), { recursive: true });
    for (let n = 0; n < 4; n++) {
      const isDisc = Array.from({ length: 256 }, (_, at) => Math.hypot((at % 16) - 7, Math.floor(at / 16) - 6) < 4 + (n % 3));
      const write = (place: string, rows: Uint8Array): void =>
        writeFileSync(join(pictures, place, `disc_${n}.png`), pngBytes({ width: 16, height: 16, bitDepth: 8, colorType: 0, rows }));
      write(
        "images",
        Uint8Array.from(isDisc, (inside, at) => (inside ? 180 : 60) + (at % 23)),
      );
      write("masks", Uint8Array.from(isDisc, Number));
    }
    const data = imageCases({ root: pictures, classes: ["background", "disc"] });
    const flat: TrainingConfig["graph"] = ({ cases }) => cases.pipe(load(), normalize(), patch({ size: [1, 8, 8], perCase: 1 }), batch({ size: 1 }));
    const discs = { ...shared, name: "discs", config: { ...shared.config, data, graph: flat } };
    await validate(discs);
    const output = join(runs, "discs", "fold-0", "predictions");
    expect(readdirSync(output).filter((name) => name.endsWith(".png"))).toHaveLength(2);
    const before = readFileSync(join(output, "prediction.json"), "utf8");
    expect(await validate({ ...discs, resume: true, tolerance: 2 })).toMatchObject({ status: "completed", rescored: [0, 1] });
    expect(readFileSync(join(output, "prediction.json"), "utf8")).toBe(before);
    expect(await validate({ ...discs, resume: true, checkpoint: "best" })).toMatchObject({ status: "completed", rescored: [0, 1] });
    expect(readFileSync(join(output, "prediction.json"), "utf8")).not.toBe(before);
    expect(steps("discs")).toEqual([2, 2]);
  });

  it("draws pictures that were left out, and chooses postprocessing or takes it back", { timeout: 300_000 }, async () => {
    const picture = join(runs, "again", "fold-0", "overlays", `${first.splits[0]!.validation[0]}.png`);
    expect(existsSync(picture)).toBe(false);
    const drawn = await validate({ ...shared, resume: true, overlays: true, postprocessing: "auto" });
    expect([drawn.rescored, existsSync(picture)]).toEqual([[0, 1], true]);
    expect(drawn.postprocessing).toBeDefined();
    const bundle = join(runs, "again", "fold-1", "checkpoints", "best");
    expect(await readBundlePostprocessing(bundle)).toBeDefined();
    // Nothing said: it stays.
    expect(await validate({ ...shared, resume: true })).toMatchObject({ rescored: [], postprocessing: drawn.postprocessing });
    const without = await validate({ ...shared, resume: true, postprocessing: "none" });
    expect([without.postprocessing, await readBundlePostprocessing(bundle)]).toEqual([undefined, undefined]);
    expect(existsSync(join(runs, "again", "evaluation", "postprocessing.json"))).toBe(false);
  });

  it("refuses settings that cannot be, and reads runs of versions that kept them elsewhere", { timeout: 300_000 }, async () => {
    await expect(validate({ ...shared, resume: true, tolerance: -1 })).rejects.toThrow("crossValidate: tolerance must be a length in mm, got -1");
    await expect(validate({ ...shared, resume: true, regions: { mass: [7] } })).rejects.toMatchObject({ code: "ERR_OPTION" });
    const { scoring: _, ...identity } = json<Record<string, unknown>>("again", "cross-validation.json");
    writeFileSync(join(runs, "again", "cross-validation.json"), JSON.stringify({ ...identity, checkpoint: "best", regions: { both: [1, 2] } }));
    const old = await validate({ ...shared, resume: true });
    expect(old).toMatchObject({ status: "completed", rescored: [0, 1] });
    expect(Object.keys(old.summary!.classes)).toEqual(["kidney", "tumor", "both"]);
  });
});

describe("the folder of a cross-validation", () => {
  it("has the configuration's name and -crossval, and is found again between trainings of the same configuration", { timeout: 300_000 }, async () => {
    const named = { ...config, name: "kidneys" };
    const run = (more: object): Promise<CrossValidation> =>
      crossValidate({ config: named, share: 0.25, fold: 0, overlays: false, previews: false, ...more });
    expect((await run({})).folder).toBe(join(runs, "kidneys-crossval"));
    // Of the same name, but no cross-validation.
    mkdirSync(join(runs, "kidneys-crossval-2"));
    writeFileSync(join(runs, "kidneys-crossval-2", "events.jsonl"), "");
    expect((await run({ resume: true })).folder).toBe(join(runs, "kidneys-crossval"));
    renameSync(join(runs, "kidneys-crossval"), join(runs, "mine"));
    expect((await run({ resume: true, overrides: { name: "mine" } })).folder).toBe(join(runs, "mine"));
  });

  it("says on the terminal what is made anew", { timeout: 300_000 }, async () => {
    const file = smallConfig(folder, { name: "terminal", root, patch: [4, 8, 8], training: "stepsPerEpoch: 1" });
    const crossval = (...more: string[]): ReturnType<typeof runCli> => runCli(["crossval", file, "--share", "0.25", "--json", ...more]);
    expect((await crossval("--no-overlays")).code).toBe(0);
    const { code, stdout, stderr } = await crossval("--resume", "--region", "kidney+tumor", "--overlays");
    expect([code, stderr]).toEqual([0, expect.stringContaining("fold 0 is trained; it is scored anew because of --region, --overlays")]);
    expect(stderr).not.toContain("are held out");
    expect(JSON.parse(stdout)).toMatchObject({ status: "completed", rescored: [0], folder: join(folder, "runs", "terminal-crossval") });
    expect(text("terminal-crossval", "evaluation", "detailed.tsv")).toContain("kidney+tumor");
    expect(existsSync(join(runs, "terminal-crossval", "fold-0", "overlays"))).toBe(true);
  });
});
