import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as rxjs from "rxjs";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../src/core/error-codes.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Folder → folders it may import from (itself always). Design: a lower part never knows a higher one. */
const data = ["core", "kernels", "io", "streams", "cache", "workers", "operators"];
const compute = ["core", "kernels", "engine", "models", "losses", "metrics"];
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kernels: ["core"],
  io: ["core", "kernels"],
  streams: ["core"],
  cache: ["core", "kernels"],
  workers: ["core", "kernels", "io"],
  operators: data,
  engine: ["core", "kernels"],
  models: ["core", "engine"],
  losses: ["core", "engine"],
  metrics: ["core", "kernels"],
  training: [...data, ...compute, "inference", "evaluation", "training"],
  inference: [...data, ...compute, "training", "evaluation", "inference"],
  evaluation: [...data, ...compute, "training", "inference", "evaluation"],
  graphs: [...data, ...compute, "training", "inference", "evaluation"],
  server: ["core", "io", "evaluation"],
  cli: ["*"],
};

const RXJS_FOLDERS = ["streams", "operators", "training", "inference", "evaluation", "graphs", "server", "cli"];
const TENSORFLOW_FOLDERS = ["engine", "models", "losses", "training", "inference", "evaluation", "graphs", "cli"];

/** Files that are not named after an export, each with its reason. */
const FREE_NAMES: Readonly<Record<string, string>> = {
  "core/errors.ts": "the error class with its guard and its form between threads",
  "core/units.ts": "type aliases",
  "core/bytes.ts": "sizes to and from text",
  "core/case.ts": "a case and the set that it comes from",
  "core/shape.ts": "shape types and the few functions on them",
  "cli/main.ts": "the program's entry",
};

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return walk(path);
    return path.endsWith(".ts") && !path.endsWith(".d.ts") ? [path] : [];
  });
}

const files = walk(join(root, "src"))
  .map((path) => ({ path, name: relative(join(root, "src"), path).replaceAll("\\", "/"), text: readFileSync(path, "utf8") }))
  .filter(({ name }) => !name.startsWith("server/page/"));

const folderOf = (name: string): string => name.split("/")[0]!;

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)|(?:^|\n)import\s+"([^"]+)"/g)].map(
    (m) => (m[1] ?? m[2] ?? m[3])!,
  );
}

function exportsOf(text: string): string[] {
  return [
    ...text.matchAll(
      /^export\s+(?:default\s+)?(?:abstract\s+)?(?:declare\s+)?(?:async\s+)?(?:function\*?|class|const|let|interface|type|enum)\s+([A-Za-z0-9_]+)/gm,
    ),
  ].map((m) => m[1]!);
}

const squash = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, "");

describe("architecture", () => {
  it("each folder imports only what the table allows", () => {
    const violations = files.flatMap(({ path, name, text }) => {
      const from = folderOf(name);
      if (name === "index.ts") return [];
      const allowed = IMPORTS[from];
      if (!allowed) return [`src/${from} is not in the import table`];
      return importsOf(text)
        .filter((target) => target.startsWith("."))
        .map((target) => folderOf(relative(join(root, "src"), normalize(join(dirname(path), target))).replaceAll("\\", "/")))
        .filter((to) => to !== from && !allowed.includes("*") && !allowed.includes(to))
        .map((to) => `src/${name} imports from ${to}; ${from} may import ${allowed.join(", ") || "nothing"}`);
    });
    expect(violations).toEqual([]);
  });

  it("RxJS and TensorFlow.js stay in their folders", () => {
    const violations = files.flatMap(({ name, text }) =>
      importsOf(text).flatMap((target) => {
        const from = folderOf(name);
        if (/^rxjs/.test(target) && !RXJS_FOLDERS.includes(from) && name !== "index.ts") return [`src/${name} imports ${target}`];
        if (/^@tensorflow\//.test(target) && !TENSORFLOW_FOLDERS.includes(from) && name !== "index.ts") return [`src/${name} imports ${target}`];
        return [];
      }),
    );
    expect(violations).toEqual([]);
  });

  it("a file is the kebab-case of an export of its own", () => {
    const violations = files.flatMap(({ name, text }) => {
      const base = name.split("/").at(-1)!.replace(/\.ts$/, "");
      if (base === "index" || base === "reference" || base.endsWith("-worker") || FREE_NAMES[name]) return [];
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(base)) return [`src/${name} is not kebab-case`];
      const names = exportsOf(text).map(squash);
      const wanted = squash(base);
      const isNamed = names.some(
        (n) =>
          n === wanted ||
          n === `${wanted}command` ||
          n === `${wanted}route` ||
          n === `${wanted}kernels` ||
          `${n}s` === wanted ||
          n === `${wanted}reference`,
      );
      return isNamed ? [] : [`src/${name} exports ${exportsOf(text).join(", ") || "nothing"}, none of which it is named after`];
    });
    expect(violations).toEqual([]);
  });

  it("no vague names", () => {
    expect(files.filter(({ name }) => /(^|\/)(util|utils|helpers?|manager|common|misc)\.ts$/.test(name)).map(({ name }) => name)).toEqual([]);
  });

  it("the library exports no name that RxJS exports", async () => {
    const library = await import("../src/index.js");
    expect(Object.keys(library).filter((name) => name in rxjs)).toEqual([]);
  });

  it("every model, loss, metric and operator has its index line", () => {
    const missing = files.flatMap(({ name, text }) => {
      const folder = folderOf(name);
      // What a user puts into a pipe says what becomes of the label map; other files of the folder are parts of one.
      const isOperator = folder === "operators" && text.includes(" * @label ") && /^export function \w+[^;]*?\): OperatorFunction</ms.test(text);
      if (!(isOperator || ["models", "losses", "metrics"].includes(folder)) || name.endsWith("/index.ts") || /^\/\/ Internal/.test(text)) return [];
      const index = readFileSync(join(root, "src", folder, "index.ts"), "utf8");
      const line = `./${name.slice(folder.length + 1).replace(/\.ts$/, ".js")}`;
      return index.includes(`"${line}"`) ? [] : [`src/${folder}/index.ts lacks a line: export { … } from "${line}";`];
    });
    expect(missing).toEqual([]);
  });

  it("no source file is longer than 400 lines, unless its first line says why", () => {
    const long = files
      .filter(({ text }) => text.split("\n").length > 401 && !/^\/\/ Long because/.test(text))
      .map(({ name, text }) => `src/${name}: ${text.split("\n").length} lines`);
    expect(long).toEqual([]);
  });

  it("docs/errors.md lists exactly the error codes", () => {
    const documented = [...readFileSync(join(root, "docs/errors.md"), "utf8").matchAll(/^\| `(ERR_[A-Z]+)`/gm)].map((m) => m[1]);
    expect(documented.sort()).toEqual([...ERROR_CODES].sort());
  });

  it("every error code is raised somewhere", () => {
    const sources = files
      .filter(({ name }) => name !== "core/error-codes.ts")
      .map(({ text }) => text)
      .join("\n");
    expect(ERROR_CODES.filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
  });

  it("the lockfile names no registry host and has no holes", () => {
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
      packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
    };
    const has = (from: string, dependency: string): boolean => {
      for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
        if (lock.packages[`${at === "" ? "" : `${at}/`}node_modules/${dependency}`]) return true;
        if (at === "" || !at.includes("/node_modules/")) return at === "" ? false : Boolean(lock.packages[`node_modules/${dependency}`]);
      }
    };
    const holes = Object.entries(lock.packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {})
        .filter((dependency) => !has(path, dependency))
        .map((dependency) => `${path} -> ${dependency}`),
    );
    expect(holes).toEqual([]);
    expect(
      Object.entries(lock.packages)
        .filter(([, entry]) => entry.resolved)
        .map(([path]) => path),
    ).toEqual([]);
  });
});
