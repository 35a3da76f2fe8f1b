import { Option } from "commander";
import { parsePositiveInteger } from "./parse-positive-integer.js";

/** `--engine` and `--threads`, alike on all commands that compute. */
export const engineOptions = (): readonly Option[] => [
  new Option("--engine <name>", "what executes TensorFlow.js operations, such as native or cpu; see `voxstream engines`"),
  new Option("--threads <n>", "threads of the engine; all cores by default").argParser(parsePositiveInteger),
];
