import { InvalidArgumentError } from "commander";
import type { PostprocessingStep } from "../inference/index.js";

/** `kidney`, `kidney=2` or `kidney+tumor` of `--keep-largest`. */
export function parseKeepLargest(text: string): PostprocessingStep {
  const [names = "", count = "1"] = text.split("=");
  const wanted = Number(count);
  if (names === "" || !Number.isInteger(wanted) || wanted < 1) {
    throw new InvalidArgumentError('must be classes and how many components stay, like "kidney", "kidney=2" or "kidney+tumor"');
  }
  return { operation: "keepLargest", classes: names.split("+"), count: wanted };
}
