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
