import { InvalidArgumentError } from "commander";

/** A part of the cases: neither none nor all. */
export function parseShare(text: string): number {
  const share = Number(text);
  if (share > 0 && share < 1) return share;
  throw new InvalidArgumentError("must be a share between 0 and 1, such as 0.2");
}
