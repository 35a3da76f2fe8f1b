import { Option } from "commander";

/** `--classes`, alike on all commands that read labels. */
export const classesOption = (): Option =>
  new Option("--classes <names>", "class names in the order of their labels, background first: background,kidney,tumor").argParser((text: string) =>
    text.split(",").map((name) => name.trim()),
  );
