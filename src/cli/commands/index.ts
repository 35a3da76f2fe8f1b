import type { Command } from "commander";
import { benchCommand } from "./bench.js";
import { cacheCommand } from "./cache.js";
import { crossvalCommand } from "./crossval.js";
import { dashboardCommand } from "./dashboard.js";
import { demoCommand } from "./demo.js";
import { enginesCommand } from "./engines.js";
import { evaluateCommand } from "./evaluate.js";
import { initCommand } from "./init.js";
import { inspectCommand } from "./inspect.js";
import { phantomCommand } from "./phantom.js";
import { predictCommand } from "./predict.js";
import { trainCommand } from "./train.js";
import { verifyCommand } from "./verify.js";

/** All commands, in the order of `voxstream --help`. */
export const commands: readonly (() => Command)[] = [
  demoCommand,
  phantomCommand,
  inspectCommand,
  verifyCommand,
  initCommand,
  trainCommand,
  predictCommand,
  evaluateCommand,
  crossvalCommand,
  dashboardCommand,
  enginesCommand,
  cacheCommand,
  benchCommand,
];
