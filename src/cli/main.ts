#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { isVoxError } from "../core/errors.js";
import { reportFailure } from "./command-output.js";
import { commands } from "./commands/index.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

const program = new Command("voxstream")
  .description("Streams medical volumes through RxJS operators into training, prediction and evaluation of segmentation networks.")
  .version(version)
  .showHelpAfterError("(--help shows the options)")
  .exitOverride();

for (const make of commands) {
  const command = make();
  command.option("--json", "print the result as JSON on stdout").exitOverride();
  program.addCommand(command);
}

const wantsJson = process.argv.includes("--json");
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; help and version are no failure.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    reportFailure(error, { json: wantsJson });
    process.exitCode = isVoxError(error) && (error.code === "ERR_OPTION" || error.code === "ERR_CONFIG") ? 2 : 1;
  }
}
