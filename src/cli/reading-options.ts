import { InvalidArgumentError, Option } from "commander";
import type { Triple } from "../core/shape.js";
import type { ReadingOptions } from "../io/index.js";

/** What `--map-labels`, `--color` and `--spacing` give. */
export interface ReadingFlags {
  readonly mapLabels?: Readonly<Record<string, number>>;
  readonly color?: "gray";
  readonly spacing?: Triple;
}

/** `--map-labels`, `--color` and `--spacing`: what the values and pixels of files mean, alike on all commands that read them. */
export const readingOptions = {
  labels: (): Option =>
    new Option("--map-labels <values>", 'classes of stored label values: "255=1", or several like "85=1,170=2"').argParser(parseLabels),
  color: (): Option => new Option("--color <how>", "read color pictures by their brightness alone").choices(["gray"]),
  spacing: (): Option =>
    new Option(
      "--spacing <mm>",
      'voxel size of pictures and TIFF stacks as depth, height, width, like "1x0.5x0.5"; what they say, or 1 mm',
    ).argParser(parseSpacing),
} as const;

/** The flags as the library takes them. */
export function readingOf({ mapLabels, color, spacing }: ReadingFlags): ReadingOptions {
  return { ...(mapLabels && { labels: mapLabels }), ...(color && { color }), ...(spacing && { spacing }) };
}

function parseLabels(text: string): Readonly<Record<string, number>> {
  const pairs = text.split(",").map((pair) => /^\s*(\d+)\s*=\s*(\d+)\s*$/.exec(pair));
  if (pairs.some((pair) => pair === null)) throw new InvalidArgumentError('must be stored values with their classes, like "255=1"');
  return Object.fromEntries(pairs.map((pair) => [pair![1]!, Number(pair![2])]));
}

function parseSpacing(text: string): Triple {
  const sides = text.split(/[x,]/).map(Number);
  if (sides.length === 3 && sides.every((side) => side > 0 && Number.isFinite(side))) return sides as unknown as Triple;
  throw new InvalidArgumentError('must be depth, height and width in mm, like "1x0.5x0.5"');
}
