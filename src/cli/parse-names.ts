import { InvalidArgumentError } from "commander";

/** `a,b` of options that take several names. */
export function parseNames(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("must be names separated by single commas");
  return names;
}
