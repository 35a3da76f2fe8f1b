import type { Command } from "commander";

/** The options of all commands as the second half of docs/command-line.md. */
export function commandSections(
  commands: readonly { readonly name: string; readonly description: string; readonly load: () => Promise<Command> }[],
): Promise<string>;
