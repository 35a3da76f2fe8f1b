import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commandSections } from "../../scripts/document-commands.mjs";
import { commands } from "../../src/cli/commands/index.js";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
const page = readFileSync(`${docs}command-line.md`, "utf8");

describe("docs/command-line.md", () => {
  it("has every option of every command as --help gives it, and no other; `node scripts/document-commands.mjs` writes it anew", async () => {
    expect(page.split("## All options\n\n")[1]).toBe(await commandSections(commands));
  });

  it("says of every command what its JSON holds", async () => {
    const listed = [...page.matchAll(/^\| `([a-z]+(?: [a-z]+)?)` \|/gm)].map(([, name]) => name);
    const loaded = await Promise.all(commands.map(({ load }) => load()));
    const names = loaded.flatMap((command) =>
      command.commands.length > 0 ? command.commands.map((child) => `${command.name()} ${child.name()}`) : [command.name()],
    );
    expect(listed.sort()).toEqual(names.sort());
  });
});

it("options that documents name exist", async () => {
  const loaded = await Promise.all(commands.map(({ load }) => load()));
  const all = loaded.flatMap((command) => [command, ...command.commands]).flatMap(({ options }) => options.map(({ long }) => long));
  // Those of other programs.
  const foreign = [
    "--json",
    "--bind-to",
    "--hostfile",
    "--help",
    "--verify_dataset_integrity",
    "--c",
    "--disable_tta",
    "--save_probabilities",
    "--expose-gc",
  ];
  const known = new Set<string | null | undefined>([...all, ...foreign]);
  const wrong = readdirSync(docs)
    .filter((name) => name.endsWith(".md") && name !== "decisions.md")
    .flatMap((name) =>
      [...readFileSync(`${docs}${name}`, "utf8").matchAll(/(?<=[`\s(])--[a-z][\w-]*/g)]
        .map(([option]) => option)
        .filter((option) => !known.has(option))
        .map((option) => `${name}: ${option}`),
    );
  expect(wrong).toEqual([]);
});
