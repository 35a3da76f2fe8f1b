import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { elementCount } from "../../src/core/shape.js";
import { readHeader } from "../../src/io/index.js";
import { CLASSES, goodCase, writeCase } from "./fixture/bad-cases.js";
import { runCli } from "./fixture/run-cli.js";
import { smallConfig } from "./fixture/small-config.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-odd-cases-"));
const at = (...parts: string[]): string => join(root, ...parts);
const bundle = at("runs", "small", "checkpoints", "best");
const everything = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String).sort() : []);

beforeAll(async () => {
  writeCase(at("small"), goodCase("small", { shape: [7, 6, 3] }));
  for (const id of ["big_a", "big_b"]) writeCase(at("big"), goodCase(id, { shape: [80, 80, 60] }));
  for (const id of ["blank_a", "blank_b"]) writeCase(at("blank"), goodCase(id, { blank: true }));
  writeCase(at("blank"), goodCase("good_c"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("cases that are odd, not bad", () => {
  it("one that is smaller than the patch is padded, in training and in prediction", { timeout: 300_000 }, async () => {
    const trained = await runCli(["train", smallConfig(root, { name: "small", root: at("small") }), "--json"]);
    expect(trained.stderr).not.toContain("skipped");
    expect(JSON.parse(trained.stdout)).toMatchObject({ status: "completed", steps: 1 });
    const predicted = await runCli(["predict", bundle, "-i", at("small"), "-o", at("out")]);
    expect([predicted.code, predicted.stdout]).toEqual([0, expect.stringContaining("1 predicted")]);
    expect((await readHeader(at("out", "small.nii.gz"))).shape).toEqual([3, 6, 7, 1]);
  });

  it("those without foreground are left out by skipBlank, and the user sees which and how many", { timeout: 300_000 }, async () => {
    const { code, stderr, stdout } = await runCli([
      "train",
      smallConfig(root, { name: "blank", root: at("blank"), behind: "skipBlank()," }),
      "--json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ steps: 1 });
    expect(stderr.split("\n").filter((line) => /^skipped blank_[ab]#0 in skipBlank: no foreground/.test(line))).toHaveLength(2);
    const events = readFileSync(at("runs", "blank", "events.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const stages = events.filter(({ type, graph }) => type === "stages" && graph === "training").at(-1).stages as { name: string; skipped: number }[];
    expect(stages.find(({ name }) => name === "skipBlank")?.skipped).toBe(2);
  });

  it("a set without any foreground ends the training and says why", { timeout: 300_000 }, async () => {
    rmSync(at("blank", "good_c"), { recursive: true });
    const config = smallConfig(root, { name: "all-blank", root: at("blank"), behind: "skipBlank(),", training: "stepsPerEpoch: 2," });
    const { code, stderr } = await runCli(["train", config]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/skipBlank: at least one item per epoch must be left, but all \d+ were skipped; .*ERR_EMPTY/),
    ]);
  });
});

/** A file system of two megabytes, where this user may mount one. */
const disk = at("disk");
const isMounted = ((): boolean => {
  try {
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!isMounted)("a disk that is full", () => {
  afterEach(() => {
    for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
  });
  afterAll(() => void execFileSync("umount", ["-l", disk]));

  it("ends a prediction with one sentence, and nothing half-written stays", { timeout: 300_000 }, async () => {
    const { code, stdout, stderr } = await runCli([
      "predict",
      bundle,
      "-i",
      at("big"),
      "-o",
      join(disk, "out"),
      "--probabilities",
      "--on-error",
      "skip",
      "--json",
    ]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/voxstream: .*big_a\.nii\.gz: the file must be writable, got no space left on the disk .*ERR_WRITE/),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ERR_WRITE", sampleId: "big_a" } });
    expect(everything(join(disk, "out")).filter((name) => name !== "prediction.json" && name !== "probabilities")).toEqual([]);
  });

  it("ends a training that cannot save its model, and no half checkpoint stays", { timeout: 300_000 }, async () => {
    const config = smallConfig(root, { name: "large", root: at("small"), fields: "model: unet({ filters: 24, depth: 2 })," });
    const { code, stdout, stderr } = await runCli(["train", config, "--runs", join(disk, "runs"), "--json"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/voxstream: .*weights\.bin: .*(no space|ENOSPC).*ERR_WRITE/)]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ERR_WRITE" } });
    expect(everything(join(disk, "runs", "large", "checkpoints"))).toEqual([]);
  });

  it("under the cache is told, and what does not fit is made again every time", { timeout: 300_000 }, async () => {
    const preprocessing = `cached(load(), normalize(), { folder: ${JSON.stringify(join(disk, "cache"))} }),`;
    const { code, stderr, stdout } = await runCli([
      "train",
      smallConfig(root, { name: "cached", root: at("big"), preprocessing, epochs: 2 }),
      "--json",
    ]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/the cache in .* must be writable, got .*full disk; free space, set a quota/)]);
    expect(JSON.parse(stdout)).toMatchObject({ status: "completed", steps: 4 });
    const verified = await runCli(["cache", "verify", join(disk, "cache"), "--json"]);
    expect([verified.code, JSON.parse(verified.stdout)]).toEqual([0, { folder: join(disk, "cache"), damages: [] }]);
  });

  it("from the start is an error, not the end of the process", { timeout: 300_000 }, async () => {
    writeFileSync(join(disk, "filler"), Buffer.alloc(1024 ** 2 + 1024 ** 2 / 2));
    const preprocessing = `cached(load(), { folder: ${JSON.stringify(join(disk, "cache"))} }),`;
    const { code, stderr } = await runCli(["train", smallConfig(root, { name: "full", root: at("big"), preprocessing })]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/voxstream: .*the cache in .* got only [\d.]+ KB free, most likely a full disk.*ERR_CACHE/),
    ]);
  });
});

it("runs without the addon from training to scores, and says once that it is slow", { timeout: 300_000 }, async () => {
  const env = { VOXSTREAM_NATIVE: "0" };
  const slow =
    /^note: the native addon is not in use \(VOXSTREAM_NATIVE=0\); everything runs on the TypeScript kernels and engine cpu, which is many times slower$/gm;
  const step = async (...parts: string[]): Promise<string> => {
    const { code, stderr, stdout } = await runCli([...parts, "--json"], { env });
    expect([parts[0], code, stderr]).toEqual([parts[0], 0, expect.any(String)]);
    expect(stderr.match(slow), parts[0]).toHaveLength(1);
    expect(stderr, parts[0]).not.toContain("tfjs-node");
    return stdout;
  };
  await step("phantom", at("phantoms"), "--cases", "2", "--shape", "16x32x32");
  const behind = "augment({ mirror: true }),";
  const config = smallConfig(root, {
    name: "plain",
    root: at("phantoms"),
    preprocessing: "load(), clip({ min: -160, max: 300 }), normalize(),",
    patch: [16, 32, 32],
    behind,
  });
  expect(JSON.parse(await step("train", config))).toMatchObject({ status: "completed", steps: 2 });
  const manifest = JSON.parse(readFileSync(at("runs", "plain", "manifest.json"), "utf8")) as { engine: { name: string } };
  expect(manifest.engine.name).toBe("cpu");
  const plain = at("runs", "plain", "checkpoints", "best");
  expect(JSON.parse(await step("predict", plain, "-i", at("phantoms"), "-o", at("plain")))).toMatchObject({
    written: ["case_00000", "case_00001"],
    engine: "cpu",
  });
  expect(JSON.parse(await step("evaluate", at("plain"), at("phantoms"), "--classes", CLASSES.join(",")))).toMatchObject({ cases: 2 });
  const { shape, dtype } = await readHeader(at("plain", "case_00001.nii.gz"));
  expect([elementCount(shape), dtype]).toEqual([16 * 32 * 32, "uint8"]);
  // The kernels are two ways to the same result: label maps agree but for voxels that rounding decides.
  expect(JSON.parse((await runCli(["predict", plain, "-i", at("phantoms"), "-o", at("native"), "--json"])).stdout)).toMatchObject({
    written: ["case_00000", "case_00001"],
  });
  const { stdout } = await runCli(["evaluate", at("native"), at("plain"), "--classes", CLASSES.join(","), "--json"]);
  const { classes } = JSON.parse(stdout) as { classes: Record<string, { metrics: { dice: { mean: number | null } } }> };
  for (const [name, { metrics }] of Object.entries(classes)) expect(metrics.dice.mean ?? 1, name).toBeGreaterThan(0.99);
  const engines = JSON.parse((await runCli(["engines", "--json"], { env })).stdout) as { auto: string };
  expect(engines.auto).toBe("cpu");
});
