import { InvalidArgumentError } from "commander";

export function parsePositiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("must be an integer of at least 1");
  return value;
}
