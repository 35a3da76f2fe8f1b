import { InvalidArgumentError } from "commander";

export function parseNaturalNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("must be an integer of at least 0");
  return value;
}
