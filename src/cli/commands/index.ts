import type { Command } from "commander";
import { benchCommand } from "./bench.js";
import { phantomCommand } from "./phantom.js";

/** All commands, in the order of `voxstream --help`. */
export const commands: readonly (() => Command)[] = [phantomCommand, benchCommand];
