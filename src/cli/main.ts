#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { isVoxError, VoxError } from "../core/errors.js";
import { launchedRanks } from "../training/ranks/launched-ranks.js";
import { reportFailure } from "./command-output.js";
import { commands } from "./commands/index.js";
import { noteSlowKernels } from "./note-slow-kernels.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

/** Mistakes in what the user wrote, not in files or at work. */
const BAD_USAGE: ReadonlySet<string> = new Set(["ERR_OPTION", "ERR_CONFIG", "ERR_MODEL"]);

const program = new Command("voxstream")
  .description("Streams medical volumes through RxJS operators into training, prediction and evaluation of segmentation networks.")
  .version(version)
  .showHelpAfterError("(--help shows the options)")
  .exitOverride()
  .hook("preAction", (_, command) => {
    requireOneRank(command.name());
    noteSlowKernels(command.name());
  });

// Only the command that is named is loaded; a line that names none gets the whole list.
const named = commands.filter(({ name }) => process.argv.includes(name));
for (const { name, description, load } of commands) {
  const command = named.length === 0 || named.some((other) => other.name === name) ? await load() : new Command(name);
  adopt(command.description(description), program);
  program.addCommand(command);
}

const wantsJson = process.argv.includes("--json");
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) {
    reportFailure(error, { json: wantsJson });
    process.exitCode = isVoxError(error) && BAD_USAGE.has(error.code) ? 2 : 1;
  } else if (error.exitCode !== 0) {
    // Commander has printed its own message on stderr.
    if (wantsJson) process.stdout.write(`${JSON.stringify({ error: { message: usageMessage(error), code: "ERR_OPTION", sampleId: null } })}\n`);
    process.exitCode = 2;
  }
}

/** What all commands have: the program's settings, and `--json` on those that do something themselves. */
function adopt(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  if (command.commands.length === 0) command.option("--json", "print the result as JSON on stdout");
  for (const child of command.commands) adopt(child, command);
}

/** Only training is shared by ranks; the others would all do the same, into the same files. */
function requireOneRank(command: string): void {
  const { size } = launchedRanks();
  if (size === 1 || command === "train") return;
  throw new VoxError(`must run as one process, got ${size} ranks of mpirun; only train is shared by ranks`, { code: "ERR_OPTION", where: command });
}

function usageMessage({ code, message }: CommanderError): string {
  return code === "commander.help" ? "a command must be given; --help lists them" : message.replace(/^error: /, "").replaceAll("\n", " ");
}
