import { InvalidArgumentError } from "commander";

/** A length in mm, from 0. */
export function parseLength(text: string): number {
  const value = Number(text);
  if (text !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("must be a length in mm");
}
