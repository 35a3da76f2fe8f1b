import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runCommandLine } from "../../src/cli/run-command-line.js";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";

const root = realpathSync(mkdtempSync(join(tmpdir(), "voxstream wörter-")));
const at = (...parts: string[]): string => join(root, ...parts);
const home = process.cwd();

beforeAll(async () => {
  await writePhantoms({ folder: at("cases"), cases: 2, shape: [8, 16, 16], seed: 1 });
  for (const name of ["empty", "runs"]) mkdirSync(at(name));
  writeFileSync(at("file"), "no folder");
  process.chdir(root);
}, 120_000);
afterAll(() => {
  process.chdir(home);
  rmSync(root, { recursive: true, force: true });
});

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[]): Promise<Ending> {
  const written = { stdout: "", stderr: "" };
  const [out, err] = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await runCommandLine(args), ...written };
  } finally {
    out!.mockRestore();
    err!.mockRestore();
  }
}

const everything = (): string[] => readdirSync(root, { recursive: true }).map(String).sort();

/** What is wrong, and what is said about it: option, rule and value. */
const BAD_USAGE: readonly (readonly [line: string, says: RegExp])[] = [
  ["trian", /unknown command 'trian'\n\(Did you mean train\?\)/],
  ["help trian", /unknown command 'trian'\n\(Did you mean train\?\)/],
  ["trian --help", /unknown command 'trian'\n\(Did you mean train\?\)/],
  ["xyzzy", /unknown command 'xyzzy'\n\(--help/],
  ["cache lst", /unknown command 'lst'\n\(Did you mean list\?\)/],
  ["cache help lst", /unknown command 'lst'/],
  ["help cache prun", /unknown command 'prun'\n\(Did you mean prune\?\)/],
  ["demo --seed x", /'--seed <n>' argument 'x' is invalid. must be an integer of at least 0/],
  ["demo --seed|", /'--seed <n>' argument '' is invalid. must be an integer of at least 0/],
  ["demo --folder", /'--folder <dir>' argument missing/],
  ["demo --folder --fast", /'--folder <dir>' argument '--fast' is invalid. must be a value, got the next option/],
  ["demo extra", /too many arguments for 'demo'/],
  ["phantom", /missing required argument 'dir'/],
  ["phantom p --cases 0", /'--cases <n>' argument '0' is invalid. must be an integer of at least 1/],
  ["phantom p --cases 1.5", /must be an integer of at least 1/],
  ["phantom p --cases 1e300", /must be an integer of at least 1/],
  ["phantom p --shape 8x8", /'--shape <DxHxW>' argument '8x8' is invalid. must be depth, height and width/],
  ["phantom p --shape 2x2x2", /shape must be three integers of at least 8, got \[2,2,2\]/],
  ["phantom p --seed -1", /must be an integer of at least 0/],
  ["phantom cases", /the folder must hold no cases yet, got cases.case_00000/],
  ["phantom file", /<dir> must be a folder, got the file file/],
  ["inspect", /missing required argument 'data'/],
  ["inspect cases", /cases: the names of the classes must be given, as in --classes/],
  ["inspect cases --classes --layout kits", /'--classes <names>' argument '--layout' is invalid. must be a value/],
  ["inspect cases --classes a,,b", /argument 'a,,b' is invalid. must be names separated by single commas/],
  ["inspect cases --classes a", /at least two class names/],
  ["inspect cases --classes a,a", /different names, got \["a","a"\]/],
  ["inspect cases CLASSES --layout foo", /'foo' is invalid. Allowed choices are auto, kits/],
  ["inspect cases CLASSES --workers -1", /'--workers <n>' argument '-1' is invalid/],
  ["inspect cases CLASSES --memory 4", /memory must be a size such as "4GB" or "512MB", got "4"/],
  ["inspect cases CLASSES --memory 0GB", /memory must be at least one byte, got "0GB"/],
  ["inspect cases CLASSES --png cases.jpg", /--png must be a file that ends with .png, got cases.jpg/],
  ["verify cases CLASSES --memory much", /memory must be a size such as .*, got "much"/],
  ["verify cases CLASSES --workers 1.5", /must be an integer of at least 0/],
  ["init i", /required option '--data <path>' not specified/],
  ["init i --data cases", /the names of the classes must be given/],
  ["train", /missing required argument 'config'/],
  ["train none.mjs", /none.mjs: the config file must exist/],
  ["train none.mjs --epochs 0", /'--epochs <n>' argument '0' is invalid/],
  ["train none.mjs --epoch 1", /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
  ["train none.mjs --workers x", /'--workers <n>' argument 'x' is invalid/],
  ["train none.mjs --threads 0", /'--threads <n>' argument '0' is invalid/],
  ["train none.mjs --ranks 0", /'--ranks <n>' argument '0' is invalid/],
  ["train none.mjs --on-error maybe", /Allowed choices are fail, skip/],
  ["train none.mjs --dashboard 99999", /'--dashboard \[port\]' argument '99999' is invalid. must be a port/],
  ["predict b", /required option '-i, --input <path>' not specified/],
  ["predict b -i cases", /required option '-o, --output <dir>' not specified/],
  ["predict b -i cases -o o --ids|", /'--ids <ids>' argument '' is invalid. must be names separated by single commas/],
  ["predict b -i cases -o o --ensemble max", /Allowed choices are mean, vote/],
  ["predict b -i cases -o o --plane foo", /must be among axial, coronal, sagittal/],
  ["predict b -i cases -o o --patch 8x8", /'--patch <size>' argument '8x8' is invalid/],
  ["predict b -i cases -o o --overlap -1x1x1", /'--overlap <size>' argument '-1x1x1' is invalid/],
  ["predict b -i cases -o o --overlap 4x8x8 --distinct", /--overlap must be absent with --distinct/],
  ["predict b -i cases -o o --batch-size 0", /'--batch-size <n>' argument '0' is invalid/],
  ["predict b -i cases -o o --weighting foo", /Allowed choices are constant, gaussian/],
  ["predict b -i cases -o o --rotations foo", /'--rotations \[planes\]' argument 'foo' is invalid/],
  ["predict b -i cases -o o --keep-largest kidney=0", /'--keep-largest <classes>' argument 'kidney=0' is invalid/],
  ["predict b -i cases -o o --keep-largest kidney --postprocessing none", /--postprocessing must be absent with --keep-largest and --min-size/],
  ["predict b -i cases -o o --min-size kidney=5cm", /'--min-size <classes=size>' argument 'kidney=5cm' is invalid/],
  ["export b", /required option '-o, --output <path>' not specified/],
  ["export b -o x.onnx --format foo", /Allowed choices are onnx, tfjs/],
  ["export b -o x.onnx --format tfjs", /--output must be a folder with --format tfjs, got x.onnx/],
  ["evaluate cases cases", /required option '--classes <names>' not specified/],
  ["evaluate cases cases CLASSES --region foo", /--region must be classes among background, kidney, tumor, joined by \+, got foo/],
  ["evaluate cases cases CLASSES --tolerance x", /'--tolerance <mm>' argument 'x' is invalid/],
  ["evaluate cases cases CLASSES --window 5,1", /two intensities, the smaller first/],
  ["evaluate cases cases CLASSES --alpha 2", /'--alpha <share>' argument '2' is invalid. must be from 0 to 1/],
  ["evaluate cases cases CLASSES --colors kidney=red", /'--colors <names>' argument 'kidney=red' is invalid/],
  ["evaluate empty empty CLASSES --overlays o", /--images must be given with --overlays/],
  ["crossval none.mjs", /none.mjs: the config file must exist/],
  ["crossval none.mjs --folds x", /'--folds <k>' argument 'x' is invalid/],
  ["crossval none.mjs --share 1", /'--share <part>' argument '1' is invalid. must be a share between 0 and 1/],
  ["crossval none.mjs --hold-out a,,b", /'--hold-out <ids>' argument 'a,,b' is invalid/],
  ["crossval none.mjs --group-by (", /'--group-by <pattern>' argument '\(' is invalid. must be a regular expression/],
  ["crossval none.mjs --stratify foo", /Allowed choices are presence, volume/],
  ["crossval none.mjs --fold -1", /'--fold <i>' argument '-1' is invalid/],
  ["compare none.mjs --hold-out 2", /'--hold-out <share>' argument '2' is invalid. must be a share between 0 and 1/],
  ["compare none.mjs --seeds 0.5", /'--seeds <list>' argument '0.5' is invalid/],
  ["compare none.mjs --seeds -1", /'--seeds <list>' argument '-1' is invalid/],
  ["compare none.mjs --metric dyce", /'--metric <column>' argument 'dyce' is invalid. must be among dice, iou, .*; did you mean dice\?/],
  ["dashboard runs --port 70000", /'--port <n>' argument '70000' is invalid. must be a port/],
  ["dashboard runs --host 0.0.0.0", /token must be given when the host is not /],
  ["dashboard runs --token short", /token must be at least 16 printable ASCII characters/],
  ["engines --chek", /unknown option '--chek'\n\(Did you mean --check\?\)/],
  ["cache prune cases --days x", /'--days <n>' argument 'x' is invalid/],
  ["bench foo", /'foo' is invalid for argument 'case'. Allowed choices are load, /],
  ["bench load --runs 0", /'--runs <n>' argument '0' is invalid/],
  ["bench resample --file cases", /--file must be absent but for the case load, got it for resample/],
];

/** What was asked for rightly and cannot be done. */
const FAILURES: readonly (readonly [line: string, says: RegExp])[] = [
  ["inspect nowhere CLASSES", /nowhere: the folder of cases must exist/],
  ["inspect empty CLASSES", /empty: the folder must hold cases: /],
  ["inspect cases CLASSES --csv cases", /cases: the file must be writable, got a folder instead of a file/],
  ["inspect cases CLASSES --png file/x.png", /file.x.png: the file must be writable, got a file where a folder was expected/],
  ["verify nowhere CLASSES", /nowhere: the folder of cases must exist/],
  ["init file --data cases CLASSES", /file.voxstream.config.mjs: the file must be writable, got a file where a folder was expected/],
  ["export empty -o x.onnx", /empty: the folder must hold a model bundle/],
  ["evaluate nowhere cases CLASSES", /nowhere: the folder of predictions must exist/],
  ["evaluate cases nowhere CLASSES", /nowhere: the labels must exist/],
  ["cache list nowhere", /nowhere: the folder must hold a cache/],
  ["cache verify empty", /empty: the folder must hold a cache/],
  ["dashboard nowhere", /runs must be an existing folder, got "nowhere"/],
  ["dashboard file", /runs must be a folder, got the file "file"/],
  ["bench load --file nowhere.nii.gz", /nowhere.nii.gz: the file must be readable, got no such file or folder/],
];

/** `|` at the end of a line is an empty value. */
const words = (line: string): string[] =>
  line
    .replace(/\|$/, " |")
    .split(" ")
    .flatMap((word) => (word === "CLASSES" ? ["--classes", "background,kidney,tumor"] : [word === "|" ? "" : word]));

describe("a line that cannot be carried out", () => {
  for (const [kind, code, table] of [
    ["bad usage", 2, BAD_USAGE],
    ["a failure", 1, FAILURES],
  ] as const) {
    it.each(table)(`as ${kind} is told in one sentence and leaves nothing behind: %s`, async (line, says) => {
      const before = everything();
      const plain = await run(words(line));
      expect(plain).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(says) });
      expect(plain.stderr).not.toMatch(/\n\s+at |node:internal|E(NOENT|NOTDIR|ISDIR|ACCES)\b/);
      const json = await run(["--json", ...words(line)]);
      expect(json).toMatchObject({ code, stderr: plain.stderr });
      const { error } = JSON.parse(json.stdout) as { error: { message: string; code: string } };
      expect(plain.stderr.replace(/\s+/g, " ")).toContain(error.message.replace(/\s+/g, " "));
      expect(error.code).toMatch(/^ERR_/);
      expect(everything()).toEqual(before);
    });
  }
});

describe("help", () => {
  it("is given for the program, for groups and for commands, at the end with 0", async () => {
    for (const line of ["--help", "help", "help cache", "cache --help", "help cache list", "help train", "train --help"]) {
      const { code, stdout, stderr } = await run(words(line));
      expect([line, code, stderr]).toEqual([line, 0, ""]);
      expect(stdout).toMatch(/^Usage: voxstream /);
    }
  });

  it("stands on stderr, and ends with 2, where a command is missing", async () => {
    for (const line of [[], ["cache"]]) {
      expect(await run(line)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/^Usage: voxstream /) });
      const { stdout } = await run([...line, "--json"]);
      expect(JSON.parse(stdout)).toMatchObject({ error: { message: "a command must be given; --help lists them" } });
    }
  });

  it("keeps to 80 columns", async () => {
    const { stdout } = await run(["--help"]);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });
});

it("--json may stand anywhere", async () => {
  const lines = [
    ["--json", "phantom", "a", "--cases", "1", "--shape", "8x8x8"],
    ["phantom", "--json", "b", "--cases", "1", "--shape", "8x8x8"],
    ["phantom", "c", "--cases", "1", "--shape", "8x8x8", "--json"],
  ];
  for (const line of lines) expect(JSON.parse((await run(line)).stdout)).toMatchObject({ cases: [{ id: "case_00000" }] });
});
