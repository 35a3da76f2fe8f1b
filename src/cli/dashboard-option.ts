import { Option } from "commander";
import { parsePort } from "./parse-port.js";

/** `--dashboard [port]` of commands that work for long. */
export const dashboardOption = (): Option =>
  new Option("--dashboard [port]", "serve the live page meanwhile, on a free port or the given one").argParser(parsePort);
