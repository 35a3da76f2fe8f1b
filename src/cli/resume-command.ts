import { shellQuoted } from "./shell-quoted.js";

/** The command that goes on with a run: what replaced fields of the config must be given again, or another run would be continued. */
export function resumeCommand(command: string, configs: readonly string[], overrides: object): string {
  const options = Object.entries(overrides).map(
    ([name, value]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}${value === true ? "" : ` ${shellQuoted(String(value))}`}`,
  );
  return ["voxstream", command, ...configs.map(shellQuoted), ...options, "--resume"].join(" ");
}
