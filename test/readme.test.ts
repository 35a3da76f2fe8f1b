import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { commands } from "../src/cli/commands/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
];

it("the few lines of a cross-validation are the example that is tested, at most 15", () => {
  const lines = read("examples/cross-validation.mjs").trim().split("\n").slice(1);
  expect(lines.filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(15);
  expect(read("README.md")).toContain(`\`\`\`ts\n${lines.join("\n")}\n\`\`\``);
});

it("README lists every command, and no other", () => {
  const table = read("README.md").split("| command |")[1]!.split("\n\n")[0]!;
  const listed = [...table.matchAll(/^\| `([a-z]+)/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual(commands.map(({ name }) => name).sort());
});

it("the stages that docs/streams.md lists are in the library", async () => {
  const library = await import("../src/index.js");
  const table = read("docs/streams.md").split("| you want | stage |")[1]!.split("\n\n")[0]!;
  const stages = [...table.matchAll(/`(\w+)\(/g)].map(([, name]) => name!);
  expect(stages.length).toBeGreaterThan(10);
  expect(stages.filter((name) => !(name in library))).toEqual([]);
});

it.each(documents)("links of %s lead somewhere", (document) => {
  const targets = [...read(document).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
  const dead = targets.filter((target) => !/^https?:/.test(target) && !existsSync(join(root, dirname(document), target)));
  expect(dead).toEqual([]);
});

/** What stands in code blocks of a document, with the language of the block. */
const blocksOf = (document: string): { readonly language: string; readonly code: string }[] =>
  [...read(document).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language: language!, code: code! }));

it.each(documents)("commands in %s exist, with the options that are given", async (document) => {
  const lines = blocksOf(document).flatMap(({ code }) => code.split("\n"));
  const used = lines.flatMap((line) => [...line.matchAll(/(?:^|&& )(?:\w+=\S+ )*(?:npx )?voxstream ([a-z]+)\b([^#]*)/g)]);
  if (document === "docs/tutorial.md") expect(used.length).toBeGreaterThan(10);
  const wrong: string[] = [];
  for (const [, name, rest] of used) {
    const entry = commands.find((candidate) => candidate.name === name);
    const command = await entry?.load();
    const parts = rest!.split("&&")[0]!.match(/(?<=\s)--?[a-z][\w-]*/g) ?? [];
    const family = command ? [command, ...command.commands] : [];
    const known = new Set(["-h", "--help", "--json", ...family.flatMap(({ options }) => options.flatMap(({ short, long }) => [short, long]))]);
    if (!command) wrong.push(`voxstream ${name}`);
    else wrong.push(...parts.filter((part) => !known.has(part)).map((part) => `voxstream ${name} ${part}`));
  }
  expect(wrong).toEqual([]);
});

it.each(documents)("what code in %s imports from the package is exported by it", async (document) => {
  const library = await import("../src/index.js");
  const missing = blocksOf(document)
    .filter(({ language }) => ["ts", "js"].includes(language))
    .flatMap(({ code }) => [...code.matchAll(/import \{([^}]*)\} from "voxstream"/g)])
    .flatMap(([, names]) => names!.split(",").map((name) => name.trim()))
    // Types leave nothing behind that could be looked for.
    .filter((name) => name !== "" && !name.startsWith("type ") && !(name in library));
  expect(missing).toEqual([]);
});

it("the names of ours that the tutorial's tables give are in the library, the commands or the configuration", async () => {
  const library = await import("../src/index.js");
  const rows = read("docs/tutorial.md")
    .split("## Coming from MIScnn")[1]!
    .split("\n")
    .filter((line) => line.startsWith("| "));
  const calls = rows.flatMap((row) =>
    [
      ...row
        .split(" | ")
        .slice(1)
        .join(" ")
        .matchAll(/\b([a-z]\w+)\(/g),
    ].map(([, name]) => name!),
  );
  expect(calls.length).toBeGreaterThan(30);
  expect([...new Set(calls)].filter((name) => !(name in library))).toEqual([]);
});
