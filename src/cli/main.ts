#!/usr/bin/env node
import { runCommandLine } from "./run-command-line.js";

const code = await runCommandLine(process.argv.slice(2));
if (code !== 0) process.exitCode = code;
