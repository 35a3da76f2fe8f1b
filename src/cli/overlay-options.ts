import { InvalidArgumentError, Option } from "commander";
import type { IntensityWindow, OverlayStyle, PlaneName, Rgb } from "../evaluation/index.js";

/** How pictures of predictions look. */
export interface OverlayOptions {
  readonly plane?: PlaneName;
  readonly window?: IntensityWindow;
  readonly alpha?: number;
  readonly colors?: Readonly<Record<string, Rgb>>;
  readonly errors: boolean;
}

/** Options alike on all commands that draw predictions. */
export const overlayOptions = (): readonly Option[] => [
  new Option("--plane <name>", "slices of the pictures").choices(["axial", "coronal", "sagittal"]),
  new Option("--window <min,max>", "intensities shown as black and white, such as -160,240; by default found from the image").argParser(parseWindow),
  new Option("--alpha <share>", "share of the class's color over the image; 0.3").argParser(parseShare),
  new Option("--colors <names>", "colors by class, such as kidney=#f03c3c,tumor=#468cff").argParser(parseColors),
  new Option("--no-errors", "pictures without the map of what is right, added and missed"),
];

/** Whether any of them was given. */
export function hasOverlayStyle({ plane, window, alpha, colors, errors }: OverlayOptions): boolean {
  return [plane, window, alpha, colors].some((given) => given !== undefined) || !errors;
}

/** What was given of them. */
export function overlayStyle({ plane, window, alpha, colors, errors }: OverlayOptions): OverlayStyle {
  return { errors, ...(plane && { plane }), ...(window && { window }), ...(alpha !== undefined && { alpha }), ...(colors && { colors }) };
}

function parseWindow(text: string): IntensityWindow {
  const [min, max, ...more] = text.split(",").map(Number);
  if (more.length === 0 && Number.isFinite(min) && Number.isFinite(max) && max! > min!) return { min: min!, max: max! };
  throw new InvalidArgumentError('must be two intensities, the smaller first, like "-160,240"');
}

function parseShare(text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("must be from 0 to 1");
}

function parseColors(text: string): Record<string, Rgb> {
  return Object.fromEntries(
    text.split(",").map((part): [string, Rgb] => {
      const [, name, red, green, blue] = /^(.+)=#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(part.trim()) ?? [];
      if (name === undefined) throw new InvalidArgumentError('must be classes and colors, like "kidney=#f03c3c,tumor=#468cff"');
      return [name, [red, green, blue].map((digits) => Number.parseInt(digits!, 16)) as unknown as Rgb];
    }),
  );
}
