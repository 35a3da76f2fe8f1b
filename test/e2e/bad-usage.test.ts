import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLASSES, goodCase, writeCase } from "./fixture/bad-cases.js";
import { runCli } from "./fixture/run-cli.js";
import { smallConfig } from "./fixture/small-config.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-bad-usage-"));
const at = (...parts: string[]): string => join(root, ...parts);
const classes = ["--classes", CLASSES.join(",")];
const bundle = at("runs", "good", "checkpoints", "best");

beforeAll(async () => {
  writeCase(at("good"), goodCase("good_a"));
  mkdirSync(at("empty"));
  mkdirSync(at("flat"));
  writeFileSync(at("flat", "good_a.nii.gz"), goodCase("good_a").segmentation!);
  writeFileSync(at("file"), "no folder");
  const { code } = await runCli(["train", smallConfig(root, { name: "good", root: at("good") })]);
  expect(code).toBe(0);
}, 300_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Without `--json` one sentence on stderr and nothing on stdout; with it the same sentence as JSON on stdout. Every second call asks for JSON. */
let calls = 0;
async function refused(parts: readonly string[], expected: 1 | 2, says: RegExp): Promise<void> {
  const isJson = calls++ % 2 === 1;
  const { code, stdout, stderr } = await runCli([...parts, ...(isJson ? ["--json"] : [])], { limitMs: 120_000 });
  const told = `${parts.join(" ")}: ${stderr}`;
  expect(code, told).toBe(expected);
  expect(stderr, told).toMatch(says);
  expect(stderr, told).not.toMatch(/\n\s+at |node:internal|ENOENT|ENOTDIR/);
  if (isJson) expect((JSON.parse(stdout) as { error: { message: string } }).error.message, told).toMatch(says);
  else expect(stdout, told).toBe("");
}

describe("commands and options", () => {
  it("unknown ones suggest the nearest, missing ones are named, and all end with 2", { timeout: 300_000 }, async () => {
    await refused(["trian"], 2, /unknown command 'trian' ?\n?\(Did you mean train\?\)/);
    await refused(["predict", bundle, "-i", at("good")], 2, /required option '-o, --output <dir>' not specified/);
    await refused(["train", "config.mjs", "--epoch", "3"], 2, /unknown option '--epoch' ?\n?\(Did you mean --epochs\?\)/);
    await refused(["train"], 2, /missing required argument 'config'/);
    await refused(
      ["predict", bundle, "-i", at("good"), "-o", at("out"), "--threads", "0"],
      2,
      /'--threads <n>' argument '0' is invalid. must be an integer of at least 1/,
    );
    await refused(["inspect", at("good"), "--layout", "foo"], 2, /'foo' is invalid. Allowed choices are auto, kits, nnunet, msd, /);
    expect(existsSync(at("out"))).toBe(false);
  });

  it("values that do not fit are refused with file, rule and value", { timeout: 300_000 }, async () => {
    await refused(["inspect", at("good")], 2, /good: the names of the classes must be given, as in --classes /);
    await refused(["evaluate", at("flat"), at("flat"), ...classes, "--overlays", at("out")], 2, /--images must be given with --overlays/);
    await refused(
      ["predict", bundle, "-i", at("good"), "-o", at("out"), "--engine", "nativ"],
      2,
      /engine must be auto, .*got "nativ"; did you mean native\?/,
    );
    await refused(
      ["train", "config.mjs", "--dashboard", "abc"],
      2,
      /'--dashboard \[port\]' argument 'abc' is invalid. must be a port, an integer in 0..65535/,
    );
    await refused(
      ["evaluate", at("good"), at("good"), ...classes, "--region", "kidny"],
      2,
      /classes among .*, joined by \+, got kidny; did you mean kidney\?/,
    );
    await refused(["phantom", at("huge"), "--shape", "100000x100000x100000"], 2, /shape must be of 2\^30 voxels at most, got "100000x100000x100000"/);
    await refused(["train", at("good", "good_a", "imaging.nii.gz")], 2, /imaging\.nii\.gz: the config must be a \.mjs, \.js or \.ts file, got \.gz/);
    await refused(["init", at("init"), "--data", at("good"), "--classes", "one"], 2, /classes must be a list of at least two/);
    expect(existsSync(at("init"))).toBe(false);
  });
});

describe("folders", () => {
  it("an empty or missing one is named, with what was looked for", { timeout: 300_000 }, async () => {
    const looked = /empty: the folder must hold cases: .*nnU-Net.*KiTS.*, got none \[ERR_EMPTY\]|empty: the folder must hold cases/;
    await refused(["inspect", at("empty"), ...classes], 1, looked);
    await refused(["verify", at("empty"), ...classes], 1, looked);
    await refused(["train", smallConfig(root, { name: "empty", root: at("empty") })], 1, looked);
    await refused(["predict", bundle, "-i", at("empty"), "-o", at("out")], 1, /empty: the folder must hold images: /);
    await refused(["evaluate", at("empty"), at("good"), ...classes], 1, /empty: there must be predictions <id>\.nii\.gz .*got none/);
    await refused(["verify", at("nowhere"), ...classes], 1, /nowhere: the folder of cases must exist/);
    await refused(["cache", "list", at("nowhere")], 1, /nowhere: the folder must hold a cache \(cases\.lmdb\), got none/);
    await refused(["dashboard", at("nowhere")], 1, /runs must be an existing folder, got ".*nowhere"/);
    expect(["out", "nowhere"].filter((name) => existsSync(at(name)))).toEqual([]);
  });

  it("a folder that holds no bundle is named, and the one that was probably meant", { timeout: 300_000 }, async () => {
    await refused(
      ["predict", at("good"), "-i", at("good"), "-o", at("out")],
      1,
      /good: the folder must hold a model bundle \(bundle\.json\), got none/,
    );
    await refused(["predict", at("runs", "good"), "-i", at("good"), "-o", at("out")], 1, /got none; the one of this run is .*checkpoints.best/);
    await refused(["predict", at("nowhere"), "-i", at("good"), "-o", at("out")], 1, /nowhere: the folder must hold a model bundle/);
    expect(existsSync(at("out"))).toBe(false);
  });

  it("one that cannot be written is named, and the command ends", { timeout: 300_000 }, async () => {
    const asFile = /the file must be writable, got a file where a folder was expected/;
    await refused(["predict", bundle, "-i", at("good"), "-o", at("file", "out")], 1, asFile);
    await refused(["phantom", at("file", "phantoms"), "--cases", "1", "--shape", "8x8x8"], 1, asFile);
    await refused(["inspect", at("good"), ...classes, "--csv", at("file", "cases.csv")], 1, asFile);
    await refused(
      ["train", smallConfig(root, { name: "unwritable", root: at("good") }), "--runs", at("file")],
      1,
      /the run folder cannot be written/,
    );
    // Node's own recursive mkdir never returns here.
    if (existsSync("/proc/self")) await refused(["predict", bundle, "-i", at("good"), "-o", "/proc/voxstream"], 1, /the file must be writable/);
  });
});

describe("config files", () => {
  it("mistakes are told with file and field, before anything is made", { timeout: 300_000 }, async () => {
    const train = (name: string, fields: string, training = ""): readonly string[] => [
      "train",
      smallConfig(root, { name, root: at("good"), fields, training }),
    ];
    await refused(train("syntax", "}} oops"), 2, /syntax\.config\.mjs: the config file cannot be loaded: .* \(line \d+\)/);
    await refused(train("unknown", "modle: unet(),"), 2, /unknown\.config\.mjs: modle is not a field of the configuration; did you mean model\?/);
    await refused(train("inner", "", "learnRate: 1,"), 2, /training\.learnRate is not a field of the configuration; did you mean learningRate\?/);
    await refused(train("missing", "loss: undefined,"), 2, /missing\.config\.mjs: loss is missing; it must be /);
    await refused(train("value", 'memory: "3 apples",'), 2, /value\.config\.mjs: memory must be a size such as .*, got "3 apples"/);
    await refused(train("operator", "model: unet({ filters: 0 }),"), 2, /operator\.config\.mjs: unet: filters must be an integer >= 1, got 0/);
    await refused(train("deep", "model: unet({ filters: 2, depth: 7 }),"), 2, /unet: the patch must be [^\n]*, got /);
    await refused(["train", at("none.mjs")], 2, /none\.mjs: the config file must exist/);
    await refused(["train", at("good")], 2, /good: the config must be a file, got a folder/);
    expect(readdirSync(at("runs"))).toEqual(["good"]);
  });
});
