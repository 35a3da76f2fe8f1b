import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { writePhantoms } from "../../src/io/index.js";
import { runCli } from "../e2e/fixture/run-cli.js";

const config = fileURLToPath(new URL("../../examples/kits19.config.ts", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "voxstream-kits19-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What the configuration says of itself, asked in a process where "voxstream" is the package. */
const ASK = `
const { loadConfig, inspectGraph } = await import("${new URL("../../dist/index.js", import.meta.url).href}");
const operators = (await import("${new URL("../../dist/operators/operator-link.js", import.meta.url).href}")).recordOperators;
const { EMPTY } = await import("rxjs");
const config = await loadConfig(${JSON.stringify(config)});
const { schedule, ...training } = config.training;
process.stdout.write(JSON.stringify({
  cases: (await config.data.list()).map(({ id }) => id), classes: config.data.classes,
  graph: inspectGraph(config), operators: operators(() => config.graph({ cases: EMPTY, mode: "training", classes: config.data.classes })),
  model: [config.model.name, config.model.options], loss: [config.loss.name, config.loss.options], metrics: config.metrics.map(({ name }) => name),
  training, schedule: [schedule.name, schedule.options], split: config.split ?? null,
}));
`;

describe("examples/kits19.config.ts", () => {
  it("has the numbers of the paper", async () => {
    // All 210 cases, as far as names go.
    for (let k = 0; k < 210; k++) {
      const folder = join(root, "kits19", `case_${String(k).padStart(5, "0")}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "imaging.nii.gz"), "");
    }
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", ASK], {
      env: { ...process.env, KITS19: join(root, "kits19") },
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
    });
    const told = JSON.parse(stdout) as Record<string, never> & { cases: string[]; operators: Record<string, never>[] };
    expect([told.cases.length, told.cases[0], told.cases.at(-1)]).toEqual([120, "case_00000", "case_00123"]);
    for (const suspicious of ["case_00015", "case_00023", "case_00037", "case_00068"]) expect(told.cases).not.toContain(suspicious);
    expect(told).toMatchObject({
      classes: ["background", "kidney", "tumor"],
      graph: {
        patch: [80, 160, 160],
        spacing: [3.22, 1.62, 1.62],
        preprocessing: [
          { name: "load" },
          { name: "resample", params: { spacing: [3.22, 1.62, 1.62] } },
          { name: "clip", params: { min: -79, max: 304 } },
          { name: "normalize", params: { mode: "z-score" } },
        ],
      },
      model: ["unet", { filters: 32, depth: 4, normalization: "batch", dropout: 0 }],
      loss: ["tverskyLoss", { alpha: 0.5, beta: 0.5, smooth: 1e-6, background: true }],
      metrics: ["softDice", "diceCrossEntropy"],
      training: { epochs: 1000, stepsPerEpoch: 150, learningRate: 1e-4, optimizer: "adam", monitor: "loss", earlyStopping: { patience: 150 } },
      schedule: ["plateau", { factor: 0.1, patience: 20, minDelta: 1e-4, cooldown: 1, minRate: 1e-5 }],
      split: null,
    });
    expect(told.operators.flatMap((operator) => Object.keys(operator))).toEqual(["cached", "patch", "link", "batch", "prefetch"]);
    expect(told.operators).toMatchObject([
      {},
      { patch: { size: [80, 160, 160], perCase: 2 } },
      { link: { name: "augment" } },
      { batch: { size: 2 } },
      { prefetch: { capacity: 3 } },
    ]);
    // Every technique, with MIScnn's probability and ranges.
    expect((told.operators[2] as unknown as { link: { params: unknown } }).link.params).toMatchObject({
      mirror: { probability: 0.5, axes: [true, true, true] },
      rotation: { probability: 0.15, degrees: [15, 15, 15], axisProbability: 1 },
      scaling: { probability: 0.15, range: [0.85, 1.25] },
      elastic: { probability: 0.15, alpha: [0, 900], sigma: [9, 13] },
      intensity: [
        { technique: "contrast", probability: 0.15, perChannel: true, range: [0.3, 3], preserveRange: true },
        { technique: "brightness", probability: 0.15, perChannel: true, range: [0.5, 2] },
        { technique: "gamma", probability: 0.15, perChannel: true, range: [0.7, 1.5], retainStatistics: true },
        { technique: "noise", probability: 0.15, deviation: [0, 0.05] },
      ],
      order: 3,
      labelOrder: 0,
    });
  });

  it("goes through its cross-validation on phantoms, in small", { timeout: 240_000 }, async () => {
    const data = join(root, "phantoms");
    await writePhantoms({ folder: data, cases: 6, shape: [32, 64, 64], seed: 1 });
    const env = { KITS19: data, KITS19_SMALL: "1", VOXSTREAM_CACHE: join(root, "cache") };
    const { code, stdout, stderr } = await runCli(["crossval", config, "--folds", "3", "--runs", join(root, "runs"), "--json"], {
      env,
      limitMs: 230_000,
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining("fold 2 (0..2): 4 cases train, 2 are held out")]);
    expect(JSON.parse(stdout)).toMatchObject({ status: "completed", finished: [0, 1, 2], summary: { cases: 6, missing: [], failed: [] } });
  });
});
