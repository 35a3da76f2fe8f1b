import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERROR_CODES } from "../src/core/error-codes.js";
import { type DocumentedExport, documentedExports, root, typeErrors, typeNames } from "./docs/documented-exports.js";
import { exampleModule, promisedValue, runnable } from "./docs/example-module.js";

const exported = documentedExports();
const within = (folder: string) => exported.filter(({ file }) => file.startsWith(`${folder}/`));

/** What the docs of each kind of export must say, beside a first sentence. */
const KINDS: Readonly<Record<string, { readonly of: readonly DocumentedExport[]; readonly tags: readonly string[]; readonly least: number }>> = {
  operators: {
    of: within("operators").filter(({ type }) => /OperatorFunction</.test(type)),
    tags: ["shape", "units", "label", "throws", "source", "example"],
    least: 20,
  },
  stages: { of: within("streams").filter(({ type }) => /OperatorFunction<|Observable</.test(type)), tags: ["throws", "example"], least: 10 },
  losses: {
    of: within("losses").filter(({ type }) => /^(Loss|TrainingMetric)$/.test(type)),
    tags: ["shape", "throws", "source", "example"],
    least: 15,
  },
  metrics: { of: within("metrics").filter(({ parameter }) => parameter === "LabelComparison"), tags: ["source", "example"], least: 13 },
  models: {
    of: within("models").filter(({ name, type }) => type === "ModelSpec" && name !== "defineNetwork"),
    tags: ["shape", "throws", "source", "example"],
    least: 11,
  },
  schedules: { of: within("training").filter(({ type }) => type === "Schedule"), tags: ["throws", "source", "example"], least: 4 },
  layers: { of: within("engine/layers").filter(({ type }) => /Layer$/.test(type)), tags: ["throws"], least: 4 },
  "readers and writers": {
    of: within("io").filter(({ isFunction, type }) => isFunction && /^(Promise|AsyncGenerator|DataSet)/.test(type)),
    tags: ["throws", "example"],
    least: 8,
  },
};

const examples = exported.flatMap((each) =>
  each.tags.filter(({ name }) => name === "example").map(({ text }, index) => ({ ...each, text, module: `${each.name}-${index}` })),
);
const names = {
  library: new Set(exported.map(({ name }) => name)),
  types: typeNames(),
  world: new Set(
    [...readFileSync(join(root, "test/docs/example-world.ts"), "utf8").matchAll(/^export (?:async )?(?:const|function) (\w+|\[.*?\])/gm)].flatMap(
      ([, name]) => name!.match(/\w+/g)!,
    ),
  ),
};
const modules = new Map(examples.map(({ module, text }) => [module, exampleModule(text, names)]));

/** Checked by the compiler alone, each with the reason and with where it is run instead. */
const NOT_RUN: Readonly<Record<string, string>> = {
  train: "minutes of training; test/training",
  crossValidate: "trains; test/evaluation, examples/cross-validation.mjs",
  compare: "trains; test/evaluation",
  startDashboard: "opens a port; test/server",
  dashboardThread: "opens a port; test/server",
};

/** With all that is wrong in the message, not the first two. */
function expectNone(faults: readonly string[]): void {
  expect(faults, `\n${faults.join("\n")}\n`).toEqual([]);
}

describe("docs of exports", () => {
  it.each(Object.entries(KINDS))("%s have the tags that apply", (_, { of, tags, least }) => {
    expect(of.length).toBeGreaterThanOrEqual(least);
    const missing = of.flatMap(({ name, file, tags: present }) =>
      tags.filter((tag) => !present.some((one) => one.name === tag && one.text.trim() !== "")).map((tag) => `${name} (src/${file}) lacks @${tag}`),
    );
    expectNone(missing);
  });

  it("every function begins with what it does", () => {
    const silent = exported.filter(({ isFunction, text }) => isFunction && !/^[^\n]{8,}/.test(text)).map(({ name, file }) => `${name} (src/${file})`);
    expectNone(silent);
  });

  it("@throws names codes that exist, and the code of wrong options where options are checked", () => {
    const wrong = exported.flatMap(({ name, tags, code }) => {
      const throws = tags.filter((tag) => tag.name === "throws").map(({ text }) => text);
      const codes = throws.flatMap((text) => text.match(/ERR_[A-Z]+/g) ?? []);
      return [
        ...throws.filter((text) => !/ERR_[A-Z]+|\bwhat\b/.test(text)).map((text) => `${name}: no code in "${text}"`),
        ...codes.filter((one) => !(ERROR_CODES as readonly string[]).includes(one)).map((one) => `${name}: ${one} is no code`),
        ...(throws.length > 0 && /\brequire(Known)?Options?\(/.test(code) && !codes.includes("ERR_OPTION")
          ? [`${name}: checks options without ERR_OPTION`]
          : []),
      ];
    });
    expectNone(wrong);
  });

  it("typedoc has nothing to complain of, such as a type in a signature that cannot be imported", { timeout: 300_000 }, async () => {
    const typedoc = join(root, "node_modules/typedoc/bin/typedoc");
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [typedoc, "--emit", "none", "--skipErrorChecking"], { cwd: root }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(`${stdout}${stderr}`.split("\n").filter((line) => /warning|error/i.test(line))).toEqual([]);
  });

  it("formats say which standard they follow", () => {
    const importsOf = (path: string, names: RegExp) =>
      [...readFileSync(join(root, "src/io", path), "utf8").matchAll(names)].map(([, name, file]) => [name!, join(path, "..", file!)] as const);
    const formats = importsOf("formats.ts", /import \{ (\w+Format) \} from "\.\/(.+)\.js"/g).filter(([name]) => name !== "planarFormat");
    // What planarFormat is made from, each of a standard of its own.
    const readers = importsOf("planar/read-pictures.ts", /import \{ (read\w+) \} from "\.\/(.+)\.js"/g);
    expect([formats.length, readers.length]).toEqual([4, 5]);
    for (const [name, file] of [...formats, ...readers]) {
      const text = readFileSync(join(root, "src/io", `${file}.ts`), "utf8");
      expect(text, file).toMatch(new RegExp(`/\\*\\*(?:(?!\\*/)[\\s\\S])*@source (?:(?!\\*/)[\\s\\S])*\\*/\\nexport const ${name}`));
    }
  });
});

describe("examples in docs", { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "voxstream-docs-"));
  let results: ReadonlyMap<string, { readonly error?: string; readonly value?: unknown; readonly items?: number }>;

  beforeAll(async () => {
    const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
    put("example-world.mjs", runnable(readFileSync(join(root, "test/docs/example-world.ts"), "utf8")));
    put("invert.mjs", "export function invert({ data }) { data.forEach((value, i) => { data[i] = -value; }); }");
    put("run-examples.mjs", runnable(readFileSync(join(root, "test/docs/run-examples.ts"), "utf8")));
    for (const [name, text] of modules) put(`${name}.mjs`, runnable(text));
    mkdirSync(join(folder, "work"));
    const toRun = examples.filter(({ name }) => !NOT_RUN[name]).map(({ module }) => module);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "run-examples.mjs"), ...toRun], {
      cwd: join(folder, "work"),
      maxBuffer: 2 ** 26,
    });
    results = new Map(
      stdout
        .split("\n")
        .filter((line) => line.startsWith("RESULT "))
        .map((line) => JSON.parse(line.slice(7)))
        .map((result) => [result.name, result]),
    );
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("pass the compiler", () => {
    expectNone(typeErrors(new Map([...modules].map(([name, text]) => [`${name}.ts`, text]))));
  });

  it("are run, but for those that say why not", () => {
    expect(Object.keys(NOT_RUN).filter((name) => !examples.some((example) => example.name === name))).toEqual([]);
    expect(examples.filter(({ name, module }) => !NOT_RUN[name] && !results.has(module)).map(({ module }) => module)).toEqual([]);
  });

  it.each(examples.filter(({ name }) => !NOT_RUN[name]))("$module runs", ({ module, text }) => {
    const result = results.get(module)!;
    expect(result.error, result.error).toBeUndefined();
    const promised = promisedValue(text);
    if (promised !== undefined) expect(rounded(result.value)).toEqual(rounded(promised));
    // A flow that delivers nothing shows nothing.
    if (result.items !== undefined) expect(result.items).toBeGreaterThan(0);
  });
});

/** Docs give numbers to four figures. */
function rounded(value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(4));
  if (Array.isArray(value)) return value.map(rounded);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, rounded(one)]));
  return value;
}
