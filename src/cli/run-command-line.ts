import { readFileSync } from "node:fs";
import { type Argument, Command, CommanderError, InvalidArgumentError } from "commander";
import { isVoxError, VoxError } from "../core/errors.js";
import { nearestName } from "../core/nearest-name.js";
import { launchedRanks } from "../training/ranks/launched-ranks.js";
import { reportFailure } from "./command-output.js";
import { commands } from "./commands/index.js";
import { noteSlowKernels } from "./note-slow-kernels.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

/** Mistakes in what the user wrote, not in files or at work. */
const BAD_USAGE: ReadonlySet<string> = new Set(["ERR_OPTION", "ERR_CONFIG", "ERR_MODEL"]);

/**
 * Runs what stands behind `voxstream` on the command line. Failures are reported on stderr, and with `--json` as an object on stdout, never thrown.
 *
 * @returns 1 for a failure and 2 for bad usage; 0 otherwise, also where the command itself has set `process.exitCode`
 */
export async function runCommandLine(args: readonly string[]): Promise<0 | 1 | 2> {
  const json = args.includes("--json");
  try {
    const program = await programFor(args);
    requireKnownCommand(args, program);
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      reportFailure(error, { json });
      return isVoxError(error) && BAD_USAGE.has(error.code) ? 2 : 1;
    }
    if (error.exitCode === 0) return 0;
    // Commander has printed its own message on stderr.
    if (json) process.stdout.write(`${JSON.stringify({ error: { message: usageMessage(error), code: "ERR_OPTION", sampleId: null } })}\n`);
    return 2;
  }
}

async function programFor(args: readonly string[]): Promise<Command> {
  const program = new Command("voxstream")
    .description("Streams medical volumes through RxJS operators into training, prediction and evaluation of segmentation networks.")
    .version(version)
    // Wherever it stands: `voxstream --json inspect data` is `voxstream inspect data --json`.
    .option("--json", "print the result of the command as JSON on stdout")
    .showHelpAfterError("(--help shows the options)")
    // Without "[options]" the column is narrow enough for descriptions to be wrapped on any terminal.
    .configureHelp({ subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(" ") })
    .exitOverride()
    .hook("preAction", (_, command) => {
      if (program.opts<{ json?: boolean }>().json) command.setOptionValue("json", true);
      requireOneRank(command.name());
      noteSlowKernels(command.name());
    });
  // Only the command that is named is loaded: the list of all needs no more than their names and descriptions.
  for (const { name, description, load } of commands) {
    const command = args.includes(name) ? await load() : new Command(name);
    adopt(command.description(description), program);
    program.addCommand(command);
  }
  return program;
}

function argumentTerm(argument: Argument): string {
  const shown = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${shown}>` : `[${shown}]`;
}

/** What all commands have: the program's settings, `--json` on those that do something themselves, and options that do not swallow each other. */
function adopt(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  if (command.commands.length === 0) command.option("--json", "print the result as JSON on stdout");
  for (const option of command.options) {
    // Commander takes whatever follows for the value, such as the next option where the value was forgotten.
    const { parseArg } = option;
    if (!option.required || (option.variadic && !parseArg)) continue;
    option.argParser((value, before) => {
      if (command.options.some(({ short, long }) => value === short || value === long)) {
        throw new InvalidArgumentError("must be a value, got the next option");
      }
      return parseArg ? parseArg(value, before) : value;
    });
  }
  for (const child of command.commands) adopt(child, command);
}

/** Commander would answer `help trian` and `trian --help` with the whole list, and not say why. */
function requireKnownCommand(args: readonly string[], program: Command): void {
  let command = program;
  for (const arg of args) {
    if (command.commands.length === 0 || arg === "--") return;
    if (!arg.startsWith("-") && arg !== "help") command = command.commands.find((child) => child.name() === arg) ?? unknownCommand(command, arg);
  }
}

function unknownCommand(command: Command, name: string): never {
  const nearest = nearestName(
    name,
    command.commands.map((child) => child.name()),
  );
  const hint = nearest === undefined ? "" : `\n(Did you mean ${nearest}?)`;
  return command.error(`error: unknown command '${name}'${hint}`, { exitCode: 2, code: "commander.unknownCommand" });
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
