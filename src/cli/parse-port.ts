import { InvalidArgumentError } from "commander";

export function parsePort(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError("must be a port, an integer in 0..65535");
  return value;
}
