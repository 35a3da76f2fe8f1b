import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nearestName } from "../../src/core/nearest-name.js";
import type { StageReport } from "../../src/core/run-events.js";
import { startEngine } from "../../src/engine/index.js";
import { unet } from "../../src/models/index.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import { recoverFolder, replaceFolder } from "../../src/training/bundle/replace-folder.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { stageVerdict } from "../../src/training/hosting/stage-verdict.js";
import { clipGradients } from "../../src/training/learning/clip-gradients.js";
import { makeOptimizer, type OptimizerOptions } from "../../src/training/learning/make-optimizer.js";
import { dataFingerprint } from "../../src/training/run/data-fingerprint.js";
import { resolveRunFolder } from "../../src/training/run/resolve-run-folder.js";
import { RunFolder } from "../../src/training/run/run-folder.js";
import { cosine } from "../../src/training/schedules/cosine.js";
import { plateau } from "../../src/training/schedules/plateau.js";
import { polynomial } from "../../src/training/schedules/polynomial.js";
import { warmUp } from "../../src/training/schedules/warm-up.js";
import { splitCases } from "../../src/training/split-cases.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-state-"));
  await startEngine();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("schedules", () => {
  it("name the option that was probably meant", () => {
    expect(() => polynomial({ powr: 2 } as never)).toThrow(/^polynomial: .* did you mean power\?$/);
    expect(() => plateau({ minDelt: 0 } as never)).toThrow(/^plateau: .* did you mean minDelta\?$/);
    expect(() => cosine({ minrate: 0 } as never)).toThrow(/^cosine: .* did you mean minRate\?$/);
    expect(() => warmUp({ step: 5 } as never)).toThrow(/^warmUp: .* did you mean steps\?$/);
  });
  it("polynomial falls from the base rate with the power of the part that is left", () => {
    const { rate } = polynomial({ power: 2 }).begin(0.1);
    expect([0, 5, 9].map((epoch) => rate({ epoch, epochs: 10, fraction: 0, step: 0 }))).toEqual([0.1, 0.1 * 0.5 ** 2, 0.1 * (1 - 9 / 10) ** 2]);
  });
  it("plateau falls after the patience, waits through the cooldown, stops at the least rate", () => {
    const schedule = plateau({ factor: 0.1, patience: 2, minDelta: 0.1, cooldown: 1, minRate: 0.002 }).begin(1);
    const rates = [5, 4.95, 4.9, 4.9, 4.9, 4.9, 4.9, 4.9, 4.9].map((figure) => {
      schedule.epochEnd!(figure);
      return schedule.rate({ epoch: 0, epochs: 1, fraction: 0, step: 0 });
    });
    expect(rates.map((rate) => Number(rate.toFixed(6)))).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01, 0.002, 0.002, 0.002]);
  });
  it("cosine falls by half a wave, within epochs too, and ends at its least rate", () => {
    const { rate } = cosine({ minRate: 0.1 }).begin(1.1);
    const at = (epoch: number, fraction: number) => rate({ epoch, epochs: 4, fraction, step: 0 });
    expect(at(0, 0)).toBeCloseTo(1.1, 12);
    expect(at(1, 0)).toBeCloseTo(0.1 + (1 + Math.SQRT1_2) / 2, 12);
    expect(at(1, 0.5)).toBeCloseTo(0.1 + (1 + Math.cos(0.375 * Math.PI)) / 2, 12);
    expect(at(2, 0)).toBeCloseTo(0.6, 12);
    expect(at(3, 1)).toBeCloseTo(0.1, 12);
    expect(cosine({ minRate: 1 }).begin(0.5).rate({ epoch: 0, epochs: 1, fraction: 1, step: 9 })).toBe(0.5);
    expect(() => cosine({ minRate: -1 })).toThrow("cosine: minRate must be >= 0, got -1");
  });
  it("warm-up grows to the rate of the other schedule", () => {
    const { rate } = warmUp({ steps: 4, schedule: polynomial({ power: 1 }) }).begin(2);
    const at = (step: number, epoch = 0) => rate({ epoch, epochs: 2, fraction: 0, step });
    expect([at(0), at(1), at(3), at(4), at(100, 1)]).toEqual([0.5, 1, 2, 2, 1]);
    expect(warmUp({ steps: 2 }).begin(2).rate({ epoch: 0, epochs: 1, fraction: 0, step: 0 })).toBe(1);
    expect(warmUp({ steps: 2, schedule: cosine() }).options).toEqual({ steps: 2, schedule: { name: "cosine", options: { minRate: 0 } } });
    expect(() => warmUp({ steps: 0 })).toThrow("warmUp: steps must be an integer >= 1, got 0");
    expect(() => warmUp({ steps: 1, schedule: 3 as never })).toThrow("warmUp: schedule must be a schedule such as cosine(), got 3");
  });
  it("warm-up keeps the state of the other schedule", () => {
    const spec = warmUp({ steps: 1, schedule: plateau({ patience: 1, cooldown: 0, factor: 0.5 }) });
    const first = spec.begin(1);
    for (const figure of [3, 3]) first.epochEnd!(figure);
    const second = spec.begin(1, JSON.parse(JSON.stringify(first.state())));
    expect(second.rate({ epoch: 0, epochs: 1, fraction: 0, step: 5 })).toBe(0.5);
  });
  it("plateau continues from its saved state", () => {
    const spec = plateau({ patience: 3, cooldown: 0 });
    const whole = spec.begin(1);
    const first = spec.begin(1);
    for (const figure of [3, 3]) {
      whole.epochEnd!(figure);
      first.epochEnd!(figure);
    }
    const second = spec.begin(1, JSON.parse(JSON.stringify(first.state())));
    for (const figure of [3, 3]) {
      whole.epochEnd!(figure);
      second.epochEnd!(figure);
    }
    expect(second.state()).toEqual(whole.state());
    expect(second.rate({ epoch: 0, epochs: 1, fraction: 0, step: 0 })).toBeCloseTo(0.1);
  });
});

describe("optimizers", () => {
  const run = (options: OptimizerOptions, gradients: number[][], rate = 0.1): number[][] => {
    const variable = tf.variable(tf.tensor1d([1, -2]));
    const optimizer = makeOptimizer(options, [{ name: "w", variable }]);
    const path = gradients.map((gradient) => {
      optimizer.apply(new Map([[variable, tf.tensor1d(gradient)]]), rate);
      return [...variable.dataSync()];
    });
    optimizer.dispose();
    variable.dispose();
    return path;
  };
  const expectClose = (actual: number[][], expected: number[][]): void => {
    for (const [step, values] of actual.entries()) for (const [k, value] of values.entries()) expect(value).toBeCloseTo(expected[step]![k]!, 5);
  };

  it("Adam takes the steps of its paper", () => {
    const gradients = [
      [0.5, -1],
      [0.1, 2],
      [-3, 0.2],
    ];
    const expected: number[][] = [];
    const [w, m, v] = [
      [1, -2],
      [0, 0],
      [0, 0],
    ];
    gradients.forEach((gradient, index) => {
      const t = index + 1;
      for (const k of [0, 1]) {
        m[k] = 0.9 * m[k]! + 0.1 * gradient[k]!;
        v[k] = 0.999 * v[k]! + 0.001 * gradient[k]! ** 2;
        w[k] = w[k]! - (0.1 * (m[k]! / (1 - 0.9 ** t))) / (Math.sqrt(v[k]! / (1 - 0.999 ** t)) + 1e-7);
      }
      expected.push([...w]);
    });
    expectClose(run({ name: "adam" }, gradients), expected);
  });
  it("SGD subtracts rate times gradient", () => expectClose(run({ name: "sgd" }, [[0.5, -1], [1, 1]]), [[0.95, -1.9], [0.85, -2]])); // biome-ignore format: one step a pair
  it("SGD with momentum adds up its velocity", () =>
    expectClose(
      run({ name: "sgd", momentum: 0.9 }, [
        [1, 0],
        [1, 0],
      ]),
      [
        [0.9, -2],
        [0.71, -2],
      ],
    ));
  it("Nesterov momentum looks one step ahead", () =>
    expectClose(
      run({ name: "sgd", momentum: 0.9, nesterov: true }, [
        [1, 0],
        [1, 0],
      ]),
      [
        [0.81, -2],
        [0.539, -2],
      ],
    ));
  it("weight decay shrinks each weight by its share, apart from the gradient", () =>
    expectClose(run({ name: "sgd", weightDecay: 0.5 }, [[0, 0]]), [[0.95, -1.9]]));

  it("AdamW shrinks the weights beside Adam's step, by 0.01 of the rate unless told otherwise", () => {
    // Adam's first step is the rate against the gradient's sign.
    expectClose(run({ name: "adamw" }, [[0.5, -1]]), [[1 - 0.1 - 0.1 * 0.01, -2 + 0.1 + 0.1 * 0.01 * 2]]);
    expectClose(run({ name: "adamw", weightDecay: 0.5 }, [[0.5, -1]]), [[1 - 0.1 - 0.05, -2 + 0.1 + 0.1]]);
    expect(run({ name: "adamw", weightDecay: 0 }, [[0.5, -1]])).toEqual(run({ name: "adam" }, [[0.5, -1]]));
  });

  it("a restored optimizer goes on bit for bit", async () => {
    const gradients = Array.from({ length: 6 }, (_, k) => [Math.sin(k + 1), Math.cos(3 * k)]);
    for (const options of [{ name: "adam" }, { name: "adamw" }, { name: "sgd", momentum: 0.9 }] as const) {
      const whole = run(options, gradients, 0.03).at(-1);
      const first = tf.variable(tf.tensor1d([1, -2]));
      const before = makeOptimizer(options, [{ name: "w", variable: first }]);
      for (const gradient of gradients.slice(0, 3)) before.apply(new Map([[first, tf.tensor1d(gradient)]]), 0.03);
      const second = tf.variable(first.clone());
      const after = makeOptimizer(options, [{ name: "w", variable: second }]);
      after.restore(await before.state());
      for (const gradient of gradients.slice(3)) after.apply(new Map([[second, tf.tensor1d(gradient)]]), 0.03);
      expect([...second.dataSync()]).toEqual(whole);
    }
  });
  it("refuses the state of other variables", () => {
    const optimizer = makeOptimizer({ name: "adam" }, [{ name: "w", variable: tf.variable(tf.zeros([2])) }]);
    expect(() => optimizer.restore({ steps: 1, slots: new Map([["w/m", new Float32Array(3)]]) })).toThrow(
      "optimizer: the checkpoint must hold 2 values of m for w, got 3",
    );
  });
  it("clips all gradients together to one norm, and leaves small ones alone", async () => {
    const [a, b] = [tf.variable(tf.zeros([1])), tf.variable(tf.zeros([2]))];
    const of = (map: ReadonlyMap<tf.Variable, tf.Tensor>) => [a, b].map((v) => [...map.get(v)!.dataSync()]);
    const gradients = () => new Map<tf.Variable, tf.Tensor>([[a, tf.tensor1d([3])], [b, tf.tensor1d([0, 4])]]); // biome-ignore format: one gradient a pair
    const clipped = of(await clipGradients(gradients(), 1));
    expect(clipped[0]![0]).toBeCloseTo(0.6, 6);
    expect(clipped[1]![1]).toBeCloseTo(0.8, 6);
    expect(of(await clipGradients(gradients(), 5.1))).toEqual([[3], [0, 4]]);
  });
});

describe("splitCases", () => {
  const cases = Array.from({ length: 10 }, (_, k) => ({ id: `case_${k}`, images: [] }));
  const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);
  it("draws a share by the seed, whatever the order on disk", () => {
    const one = splitCases(cases, { validation: 0.25 }, 1);
    expect(one.validation.length).toBe(3);
    expect([...ids(one.training), ...ids(one.validation)].sort()).toEqual(ids(cases));
    expect(ids(splitCases([...cases].reverse(), { validation: 0.25 }, 1).validation).sort()).toEqual(ids(one.validation).sort());
    expect(ids(splitCases(cases, { validation: 0.25 }, 2).validation)).not.toEqual(ids(one.validation));
  });
  it("takes listed ids, and trains on the rest or on a list", () => {
    expect(ids(splitCases(cases, { validation: ["case_3"] }, 0).training)).toEqual(ids(cases).filter((id) => id !== "case_3"));
    expect(ids(splitCases(cases, { validation: ["case_3"], training: ["case_5"] }, 0).training)).toEqual(["case_5"]);
    expect(splitCases(cases, undefined, 0).validation).toEqual([]);
  });
  it("refuses unknown ids, ids on both sides, and a split that leaves nothing", () => {
    expect(() => splitCases(cases, { validation: ["cse_3"] }, 0)).toThrow(
      "split: the split names a case that is not there, 'cse_3'; did you mean 'case_3'?",
    );
    expect(() => splitCases(cases, { validation: ["case_3"], training: ["case_3"] }, 0)).toThrow(
      "split: a case must be on one side of the split only, got 'case_3' on both",
    );
    expect(() => splitCases(cases.slice(0, 1), { validation: 0.5 }, 0)).toThrow("split: at least one of the 1 cases must be left for training");
    expect(() => splitCases([], undefined, 0)).toThrow("split: there must be at least one case, got an empty data set");
  });
});

describe("nearestName", () => {
  it("finds typing errors and nothing far away", () => {
    expect(nearestName("epoch", ["epochs", "engine"])).toBe("epochs");
    expect(nearestName("xyz", ["epochs", "engine"])).toBeUndefined();
  });
});

describe("stageVerdict", () => {
  const stage = (
    name: string,
    [busyMs, blockedMs, starvedMs, workMs]: readonly [number, number, number, number],
    knobs: Record<string, number> = {},
  ): StageReport => ({
    ...{ name, to: [], in: 0, out: 0, held: 0, maxHeld: 0, running: 0, skipped: 0, state: "busy" },
    ...{ busyMs, blockedMs, starvedMs, workMs, knobs },
  });
  it("names the trainer when it hardly waits", () => {
    expect(stageVerdict([], [stage("load", [100, 900, 0, 100]), stage("trainer", [990, 0, 10, 990])])).toBe(
      "the trainer sets the pace: batches are always ready",
    );
  });
  it("names the stage that works at its limit, and its knob, from the time since the last look", () => {
    const before = [stage("load", [0, 5000, 0, 0], { concurrency: 2 }), stage("trainer", [5000, 0, 0, 5000])];
    const now = [stage("load", [1000, 5000, 0, 1900], { concurrency: 2 }), stage("trainer", [5600, 0, 400, 5600])];
    expect(stageVerdict(before, now)).toBe("the trainer waits 40 % of its time for 'load', which is busy 95 %: raise workers, or cache it");
  });
  it("looks for buffers when nobody works at the limit", () => {
    const now = [stage("load", [300, 0, 700, 300]), stage("trainer", [600, 0, 400, 600])];
    expect(stageVerdict([], now)).toBe("the trainer waits 40 % of its time; no stage works at its limit: raise prefetch, or memory");
  });
});

describe("dataFingerprint", () => {
  it("changes with ids, names and sizes of files, and not with their folder or order", async () => {
    const put = (folder: string, text: string) => {
      mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, folder, "a.nii"), text);
      return { id: "a", images: [join(root, folder, "a.nii")] };
    };
    const other = { id: "b", images: [] };
    const one = await dataFingerprint([put("one", "1234"), other]);
    expect(await dataFingerprint([other, put("two", "5678")])).toBe(one);
    expect(await dataFingerprint([put("three", "12345"), other])).not.toBe(one);
    expect(await dataFingerprint([put("one", "1234")])).not.toBe(one);
    expect(await dataFingerprint([{ ...put("one", "1234"), reading: { labels: { 255: 1 } } }, other])).not.toBe(one);
    expect(await dataFingerprint([put("one", "1234"), { ...other, label: 'b#dicom={"structures":{"lung":1}}' }])).not.toBe(
      await dataFingerprint([put("one", "1234"), { ...other, label: 'b#dicom={"structures":{"heart":1}}' }]),
    );
  });
});

describe("replaceFolder", () => {
  const fill = (content: string) => async (folder: string) => writeFileSync(join(folder, "file"), content);
  const content = (path: string) => readFileSync(join(path, "file"), "utf8");
  it("replaces the whole folder and leaves nothing beside it", async () => {
    const path = join(root, "whole/latest");
    mkdirSync(join(root, "whole"));
    await replaceFolder(path, fill("one"));
    await replaceFolder(path, fill("two"));
    expect(content(path)).toBe("two");
    expect(readdirSync(join(root, "whole"))).toEqual(["latest"]);
  });
  it("keeps the old folder when writing fails", async () => {
    const path = join(root, "failing/latest");
    mkdirSync(join(root, "failing"));
    await replaceFolder(path, fill("one"));
    const failing = replaceFolder(path, async (folder) => {
      await fill("half")(folder);
      throw new Error("no space left");
    });
    await expect(failing).rejects.toMatchObject({
      code: "ERR_WRITE",
      message: expect.stringContaining("the folder cannot be written: no space left"),
    });
    expect(content(path)).toBe("one");
    expect(readdirSync(join(root, "failing"))).toEqual(["latest"]);
  });
  it("recovers a complete folder from every moment at which the process may die", async () => {
    const base = join(root, "crash");
    const path = join(base, "latest");
    const put = (name: string, text: string) => {
      mkdirSync(join(base, name), { recursive: true });
      writeFileSync(join(base, name, "file"), text);
    };
    // While the new one is being written.
    put("latest", "one");
    put("latest.new", "ha");
    await recoverFolder(path);
    expect(content(path)).toBe("one");
    // After the old one stepped aside: the new one is complete.
    renameSync(path, `${path}.old`);
    put("latest.new", "two");
    await recoverFolder(path);
    expect(content(path)).toBe("two");
    // Before the old one is removed.
    put("latest.old", "one");
    await recoverFolder(path);
    expect(content(path)).toBe("two");
    // The very first one, half written.
    rmSync(base, { recursive: true });
    put("latest.new", "ha");
    await recoverFolder(path);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(base)).toEqual([]);
  });
});

describe("run folder", () => {
  it("is cut back to a mark, and to whole lines", () => {
    const path = join(root, "run");
    const folder = RunFolder.open(path);
    folder.event({ type: "warning", message: "one" });
    folder.row({ epoch: 1, loss: 2 });
    const mark = folder.mark();
    folder.event({ type: "warning", message: "two" });
    folder.row({ epoch: 2, loss: 1 });
    folder.close();
    const again = RunFolder.open(path, { mark });
    again.event({ type: "warning", message: "three" });
    again.row({ epoch: 2, loss: 1.5 });
    again.close();
    const messages = () =>
      readFileSync(join(path, "events.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { message: string }).message);
    expect(messages()).toEqual(["one", "three"]);
    expect(readFileSync(join(path, "history.tsv"), "utf8")).toBe("epoch\tloss\n1\t2\n2\t1.5\n");
    // A mark in the middle of a line, as after a lost tail.
    RunFolder.open(path, { mark: { eventsBytes: mark.eventsBytes + 5, historyBytes: 1e9 } }).close();
    expect(messages()).toEqual(["one"]);
  });
  it("gets the first free name, and the last one when resumed", () => {
    const runs = join(root, "names");
    expect(resolveRunFolder(runs, "a", false)).toBe(join(runs, "a"));
    expect(resolveRunFolder(runs, "a", true)).toBe(join(runs, "a"));
    mkdirSync(join(runs, "a"), { recursive: true });
    mkdirSync(join(runs, "a-2"));
    expect(resolveRunFolder(runs, "a", false)).toBe(join(runs, "a-3"));
    expect(resolveRunFolder(runs, "a", true)).toBe(join(runs, "a-2"));
  });
});

describe("bundle", () => {
  const description = {
    classes: ["background", "kidney"],
    channels: 1,
    patch: [1, 8, 8] as const,
    spacing: null,
    preprocessing: [{ name: "load", params: {} }],
    model: { name: "unet", options: {} },
    loss: { name: "tverskyLoss", options: {} },
    engine: "cpu",
  };
  const build = () => unet({ filters: 2, depth: 1 }).build({ shape: [1, 8, 8, 1], classes: 2, seed: 5 });
  const input = () => tf.randomNormal([1, 8, 8, 1], 0, 1, "float32", 2);

  it("loads to a model with the same output, moving averages included", async () => {
    const model = build();
    // One training pass moves the averages away from where they begin.
    model.apply(tf.mul(input(), 3), { training: true });
    const folder = join(root, "bundle");
    await saveBundle(folder, model, description);
    const loaded = await loadBundle(folder);
    expect([...(loaded.model.predict(input()) as tf.Tensor).dataSync()]).toEqual([...(model.predict(input()) as tf.Tensor).dataSync()]);
    expect(loaded.description).toMatchObject({ ...description, format: "voxstream-bundle", formatVersion: 1, parameters: model.countParams() });
  });

  it("of standard layers is readable by plain TensorFlow.js", async () => {
    const folder = join(root, "plain");
    const image = tfl.input({ shape: [8, 8, 1] });
    const hidden = tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "relu" }).apply(image) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: image, outputs: tfl.layers.conv2d({ filters: 2, kernelSize: 1 }).apply(hidden) as tfl.SymbolicTensor });
    await saveBundle(folder, model, description);
    const { modelTopology, weightsManifest, format } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8")) as tf.io.ModelJSON;
    expect(format).toBe("layers-model");
    const bytes = readFileSync(join(folder, weightsManifest[0]!.paths[0]!));
    const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0]!.weights, weightData }));
    expect([...(loaded.predict(input()) as tf.Tensor).dataSync()]).toEqual([...(model.predict(input()) as tf.Tensor).dataSync()]);
  });

  it("says why it cannot be loaded", async () => {
    const folder = join(root, "spoiled");
    await saveBundle(folder, build(), description);
    const spoil = async (name: string, change: (bytes: Buffer) => Buffer | undefined) => {
      const path = join(folder, name);
      const good = readFileSync(path);
      const bad = change(Buffer.from(good));
      if (bad) writeFileSync(path, bad);
      else rmSync(path);
      const error = await loadBundle(folder).catch((fault: unknown) => fault);
      writeFileSync(path, good);
      return error;
    };
    const flip = (bytes: Buffer) => {
      bytes[100]! ^= 1;
      return bytes;
    };
    expect(await spoil("weights.bin", flip)).toMatchObject({
      code: "ERR_BUNDLE",
      message: `${folder}: weights.bin must be the file that was saved, but its checksum differs`,
    });
    expect(await spoil("weights.bin", (bytes) => bytes.subarray(0, 40))).toMatchObject({
      code: "ERR_BUNDLE",
      message: expect.stringMatching(/weights\.bin must have \d+ bytes, got 40/),
    });
    expect(await spoil("model.json", flip)).toMatchObject({
      code: "ERR_BUNDLE",
      message: `${folder}: model.json must be the file that was saved, but its checksum differs`,
    });
    expect(await spoil("model.json", () => undefined)).toMatchObject({
      code: "ERR_BUNDLE",
      message: expect.stringContaining("model.json must be there and readable"),
    });
    expect(await spoil("bundle.json", (bytes) => bytes.subarray(0, 30))).toMatchObject({
      code: "ERR_BUNDLE",
      message: expect.stringContaining("bundle.json must be JSON"),
    });
    expect(await spoil("bundle.json", () => Buffer.from('{"format":"keras"}'))).toMatchObject({
      code: "ERR_BUNDLE",
      message: expect.stringContaining("bundle.json must be of format voxstream-bundle 1, but format"),
    });
    expect((await loadBundle(folder)).description.channels).toBe(1);
  });
});
