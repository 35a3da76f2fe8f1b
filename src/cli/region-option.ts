import { Option } from "commander";
import { VoxError } from "../core/errors.js";

/** `--region kidney+tumor`, several times. */
export function regionOption(): Option {
  return new Option("--region <classes>", "also score several classes taken together, like kidney+tumor; repeatable").argParser(
    (text: string, before: readonly string[] = []) => [...before, text],
  );
}

/** Labels of each region by its name. */
export function regionsOf(names: readonly string[], classes: readonly string[], where: string): Record<string, readonly number[]> {
  const regions = Object.fromEntries(names.map((name) => [name, name.split("+").map((part) => classes.indexOf(part.trim()))]));
  const strange = names.find((name) => regions[name]!.includes(-1));
  if (strange === undefined) return regions;
  throw new VoxError(`--region must be classes among ${classes.join(", ")}, joined by +, got ${strange}`, { code: "ERR_OPTION", where });
}
