import { Option } from "commander";
import { parseNames } from "./parse-names.js";

/** `--classes`, alike on all commands that read labels. */
export const classesOption = (): Option =>
  new Option("--classes <names>", "class names in the order of their labels, background first: background,kidney,tumor").argParser(parseNames);
