import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { map } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { clip } from "../../src/operators/intensity/clip.js";
import { normalize } from "../../src/operators/intensity/normalize.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { resample } from "../../src/operators/spatial/resample.js";
import { batch } from "../../src/operators/stream/batch.js";
import { cached } from "../../src/operators/stream/cached.js";
import { defineConfig } from "../../src/training/config/define-config.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { inspectGraph } from "../../src/training/hosting/inspect-graph.js";
import { plateau } from "../../src/training/schedules/plateau.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

const valid: TrainingConfig = {
  data: tinyData(2),
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8] }), batch({ size: 1 })),
  model: unet({ filters: 2, depth: 1 }),
  loss: tverskyLoss(),
  training: { epochs: 1 },
};
/** A config with wrong parts, which types would refuse. */
const wrong = (parts: object): TrainingConfig => ({ ...valid, ...parts }) as TrainingConfig;

describe("defineConfig", () => {
  it("gives back what it was given", () => {
    expect(defineConfig(valid)).toBe(valid);
    const full: TrainingConfig = {
      ...valid,
      split: { validation: ["a"] },
      validation: { every: 2 },
      metrics: [],
      training: {
        epochs: 3,
        optimizer: { name: "sgd", momentum: 0.9 },
        schedule: plateau(),
        earlyStopping: { patience: 2 },
        clipNorm: 1,
        checkpoint: { everySteps: 5 },
      },
      memory: "2GB",
      workers: 0,
      seed: 4,
      onError: "skip",
    };
    expect(defineConfig(full)).toBe(full);
  });

  it.each([
    [{ sead: 1 }, "config: sead is not a field of the configuration; did you mean seed?"],
    [{ training: { epochs: 1, learningrate: 1 } }, "config: training.learningrate is not a field of the configuration; did you mean learningRate?"],
    [
      { training: { epochs: 1, optimizer: { name: "adam", beta: 1 } } },
      "config: training.optimizer.beta is not a field of the configuration; did you mean beta1?",
    ],
    [
      { training: { epochs: 1, callbacks: [{ onEpch: () => undefined }] } },
      "config: training.callbacks: onEpch is not a hook; did you mean onEpoch?",
    ],
    [{ validation: { cases: { overlp: [1, 2, 3] } } }, "config: validation.cases.overlp is not a field of the configuration; did you mean overlap?"],
    [{ init: { bundel: "x" } }, "config: init.bundel is not a field of the configuration; did you mean bundle?"],
    [{ split: { validaton: 0.2 } }, "config: split.validaton is not a field of the configuration; did you mean validation?"],
    [{ validation: { zzzzzzzz: 1 } }, "config: validation.zzzzzzzz is not a field of the configuration; known: every, graph, patches, cases"],
    [{ model: undefined }, "config: model is missing; it must be a model such as unet()"],
    [{ loss: "tversky" }, 'config: loss must be a function, such as tverskyLoss(), got "tversky"'],
    [{ data: { root: "x" } }, 'config: data must be a data set such as niftiCases({ root, classes }), got {"root":"x"}'],
    [{ training: { epochs: 0 } }, "config: training.epochs must be an integer >= 1, got 0"],
    [
      { training: { epochs: 1, optimizer: "lion" } },
      'config: training.optimizer must be "adam", "adamw", "sgd", or { name, … } with their options, got "lion"',
    ],
    [{ split: { validation: 2 } }, "config: split.validation must be a share above 0 and below 1, or a list of ids, got 2"],
    [{ split: [1] }, "config: split must be { validation: share between 0 and 1 }, or { validation: [ids], training?: [ids] }, got [1]"],
    [{ memory: "many" }, 'config: memory must be a size such as "4GB" or "512MB", got "many"'],
    [{ name: ".." }, "config: name must be letters, digits, '.', '_' and '-', not dots alone, got \"..\""],
    [{ name: "a/b" }, "config: name must be letters, digits, '.', '_' and '-', not dots alone, got \"a/b\""],
    [{ onError: "ignore" }, 'config: onError must be "fail" or "skip", got "ignore"'],
    [{ training: { epochs: "ten" } }, 'config: training.epochs must be an integer >= 1, got "ten"'],
    [{ training: { epochs: Number.NaN } }, "config: training.epochs must be an integer >= 1, got NaN"],
    [{ training: { epochs: 1, learningRate: Number.POSITIVE_INFINITY } }, "config: training.learningRate must be a number > 0, got Infinity"],
    [
      { training: { epochs: 1, optimizer: { name: "sgd", momentum: 2 } } },
      "config: training.optimizer.momentum must be a number from 0 to below 1, got 2",
    ],
    [{ training: { epochs: 1, callbacks: [{ onEpoch: "x" }] } }, 'config: training.callbacks: onEpoch must be a function, got "x"'],
    [{ seed: 1.5 }, "config: seed must be an integer, got 1.5"],
    [{ workers: 1e5 }, "config: workers must be an integer from 0 to 1024, got 100000"],
    [{ graph: 3 }, "config: graph must be a function, ({ cases }) => cases.pipe(…), got 3"],
  ])("refuses %j by name and rule", (parts, message) => {
    let error: unknown;
    try {
      defineConfig(wrong(parts));
    } catch (fault) {
      error = fault;
    }
    expect(error).toMatchObject({ message });
  });
});

describe("inspectGraph", () => {
  it("finds patch, spacing and the deterministic operators in front of the patch, cached or not", () => {
    const plain = inspectGraph({
      data: valid.data,
      graph: ({ cases }) =>
        cases.pipe(
          load(),
          clip({ min: -79, max: 304 }),
          resample({ spacing: [3, 2, 1] }),
          map((sample) => sample),
          normalize(),
          patch({ size: [8, 16, 16] }),
          clip({ min: 0, max: 1 }),
          batch({ size: 2 }),
        ),
    });
    expect(plain.patch).toEqual([8, 16, 16]);
    expect(plain.spacing).toEqual([3, 2, 1]);
    expect(plain.preprocessing.map(({ name }) => name)).toEqual(["load", "clip", "resample", "normalize"]);
    expect(plain.preprocessing[1]!.params).toEqual({ min: -79, max: 304 });
    const stored = inspectGraph({
      data: valid.data,
      graph: ({ cases }) =>
        cases.pipe(
          cached(load(), clip({ min: -79, max: 304 }), resample({ spacing: [3, 2, 1] }), normalize()),
          patch({ size: [8, 16, 16] }),
          batch({ size: 2 }),
        ),
    });
    expect(stored).toEqual(plain);
  });

  it("says what is wrong with a graph function", () => {
    expect(() => inspectGraph({ data: valid.data, graph: (() => 3) as never })).toThrow(
      "graph: the graph function must return an Observable of batches",
    );
    expect(() =>
      inspectGraph({
        data: valid.data,
        graph: () => {
          throw new TypeError("oops");
        },
      }),
    ).toThrow("graph: the graph function must return batches, but it failed: oops");
  });
});

describe("before any data is read", () => {
  it("a patch that does not fit the network is refused with the numbers", async () => {
    let hasListed = false;
    const data = {
      ...tinyData(2),
      list: async () => {
        hasListed = true;
        return [];
      },
    };
    const graph: TrainingConfig["graph"] = ({ cases }) => cases.pipe(load(), patch({ size: [1, 9, 8] }), batch({ size: 1 }));
    await expect(train({ ...valid, data, graph })).rejects.toMatchObject({
      code: "ERR_MODEL",
      message: "unet: the patch must be divisible by 1x2x2, got 1x9x8; 1x8x8 or 1x10x8 would fit, or fewer levels (depth)",
    });
    expect(hasListed).toBe(false);
  });
});

describe("loadConfig", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "voxstream-config-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const dist = (path: string) => new URL(`../../dist/${path}`, import.meta.url).href;

  /** In a process of its own, because module hooks apply to Node's loader and not to the test runner's. */
  function loaded(...paths: string[]): { epochs?: number; summary?: unknown; code?: string; message?: string }[] {
    const script = join(root, "load.mjs");
    writeFileSync(
      script,
      `import { inspectGraph } from ${JSON.stringify(dist("training/hosting/inspect-graph.js"))};
import { loadConfig } from ${JSON.stringify(dist("training/config/load-config.js"))};
const results = [];
for (const path of process.argv.slice(2)) {
  try {
    const config = await loadConfig(path);
    results.push({ epochs: config.training.epochs, summary: inspectGraph(config) });
  } catch ({ code, message }) {
    results.push({ code, message });
  }
}
console.log("RESULTS" + JSON.stringify(results));
`,
    );
    const output = execFileSync(process.execPath, [script, ...paths], { encoding: "utf8" });
    return JSON.parse(output.slice(output.indexOf("RESULTS") + 7));
  }
  const file = (name: string, text: string): string => {
    const path = join(root, name);
    writeFileSync(path, text);
    return path;
  };
  const body = (extra: string) => `
import { batch, defineConfig, load, patch, plateau, softDice, tverskyLoss, unet } from "voxstream";
${extra}
export default defineConfig({
  data: { classes: ["a", "b"], channels: 1, list: async () => [] },
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [16, 16, 16] }), batch({ size: 2 })),
  model: unet(), loss: tverskyLoss(), metrics: [softDice()], training: { epochs: EPOCHS, schedule: plateau() },
});`;

  it("reads JavaScript and TypeScript outside any package, with the very copy of the library that runs", () => {
    const script = file("plain.mjs", body("const EPOCHS = 3;"));
    file("neighbor.ts", "export const EPOCHS: number = 4 satisfies number;\n");
    const typed = file("typed.config.ts", body('import { EPOCHS } from "./neighbor.js";\ninterface Unused { readonly a: string }'));
    // TensorFlow.js and RxJS are those of the library: nothing is installed beside this file.
    const own = file(
      "own.ts",
      body(
        'import * as tf from "@tensorflow/tfjs-core";\nimport { tap } from "rxjs";\nconst EPOCHS = tap() && tf.engine().backendName !== null ? 5 : 0;',
      ),
    );
    // Operators of another copy would not be recognized.
    const summary = { patch: [16, 16, 16], spacing: null, preprocessing: [{ name: "load", params: { nonFinite: "fail", labels: "declared" } }] };
    expect(loaded(script, typed, own)).toEqual([
      { epochs: 3, summary },
      { epochs: 4, summary },
      { epochs: 5, summary },
    ]);
  });

  it("says what is wrong with a file", () => {
    const [missing, empty, broken, plain, option, cut, folder, field] = loaded(
      join(root, "missing.mjs"),
      file("empty.mjs", "export const a = 1;"),
      file("broken.ts", "export default {;"),
      file("object.mjs", "export default { epochs: 3 };"),
      file("option.mjs", 'import { unet } from "voxstream"; export default unet({ filters: -1 });'),
      file("cut.mjs", "const a = 1;\nexport default {;\n"),
      root,
      file("field.mjs", 'import { defineConfig } from "voxstream";\nexport default defineConfig({ traning: {} });'),
    );
    expect(missing).toMatchObject({ code: "ERR_CONFIG", message: expect.stringContaining("missing.mjs: the config file must exist") });
    expect(empty).toMatchObject({ code: "ERR_CONFIG", message: expect.stringContaining("must have a default export") });
    expect(broken).toMatchObject({ code: "ERR_CONFIG", message: expect.stringContaining("the config file cannot be loaded: Transform failed") });
    expect(plain).toMatchObject({ code: "ERR_CONFIG", message: expect.stringContaining("data is missing") });
    expect(option).toMatchObject({
      code: "ERR_OPTION",
      message: expect.stringMatching(/option\.mjs: unet: filters must be an integer >= 1, got -1$/),
    });
    expect(cut).toMatchObject({ code: "ERR_CONFIG", message: expect.stringMatching(/cut\.mjs: the config file cannot be loaded: .*\(line 2\)$/) });
    expect(folder).toMatchObject({ code: "ERR_CONFIG", message: expect.stringContaining("the config must be a file, got a folder") });
    const [imported, called] = loaded(
      file("imported.mjs", 'import { normalise } from "voxstream";\nexport default normalise();'),
      file("called.mjs", 'import * as vox from "voxstream";\nexport default { graph: vox.resampel() };'),
    );
    expect(imported).toMatchObject({ message: expect.stringContaining("does not provide an export named 'normalise'; did you mean normalize?") });
    expect(called).toMatchObject({ message: expect.stringContaining("vox.resampel is not a function; did you mean resample? (line 2)") });
    expect(field).toMatchObject({ code: "ERR_CONFIG", message: expect.stringMatching(/field\.mjs: data is missing/) });
  });
});
