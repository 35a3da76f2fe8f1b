import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

/** The options of all commands as the second half of docs/command-line.md. */
export async function commandSections(commands) {
  const sections = [];
  for (const { name, description, load } of commands) {
    const command = await load();
    for (const one of command.commands.length > 0 ? command.commands : [command]) {
      const title = [...(one === command ? [] : [name]), one.name(), ...one.registeredArguments.map(argumentTerm)].join(" ");
      const words = one === command ? description : one.description();
      const rows = one.options.filter(({ long }) => long !== "--json").map((option) => `| \`${cell(option.flags)}\` | ${meaning(option)} |`);
      const table = rows.length === 0 ? "" : `\n\n| option | |\n|---|---|\n${rows.join("\n")}`;
      sections.push(`### \`voxstream ${title}\`\n\n${escaped(sentence(words))}${table}`);
    }
  }
  return `${sections.join("\n\n")}\n`;
}

function argumentTerm(argument) {
  const shown = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${shown}>` : `[${shown}]`;
}

function meaning(option) {
  const { argChoices, defaultValue, defaultValueDescription, description } = option;
  const more = [];
  if (argChoices) more.push(argChoices.map((choice) => `\`${choice}\``).join(", "));
  const value = defaultValueDescription ?? (Array.isArray(defaultValue) ? defaultValue.join("x") : defaultValue);
  if (value !== undefined && value !== "" && typeof value !== "boolean") more.push(`by default \`${value}\``);
  return escaped(`${description}${more.length > 0 ? ` (${more.join("; ")})` : ""}`);
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const cell = (text) => text.replaceAll("|", "\\|");
/** Outside of code, Markdown takes <id> for a tag. */
const escaped = (text) =>
  cell(text)
    .split("`")
    .map((part, index) => (index % 2 === 0 ? part.replaceAll("<", "&lt;") : part))
    .join("`");

/** Writes the options of dist/ into the page: after a change of an option, and of dist/. */
if (argv[1] === fileURLToPath(import.meta.url)) {
  const { commands } = await import("../dist/cli/commands/index.js");
  const page = new URL("../docs/command-line.md", import.meta.url);
  const [head] = readFileSync(page, "utf8").split("## All options\n");
  writeFileSync(page, `${head}## All options\n\n${await commandSections(commands)}`);
}
