import type { Json } from "../../../core/json.js";

/** An operator's mark on a sample, as the training wrote it down. */
export interface HistoryMark {
  readonly operator: string;
  readonly params: Json;
}

type Fields = Readonly<Record<string, Json>>;

const AXES = ["depth", "height", "width"] as const;
const SIDES = ["top to bottom", "front to back", "left to right"] as const;

/**
 * What was done to a sample, in words: `rotated 7.0° about depth`, `gamma 1.20`. One line for each thing that was done; the steps of an operator that is not
 * known here are told with its parameters.
 *
 * @example
 * historyWords([{ operator: "clip", params: { min: -160, max: 300 } }]) // ["clipped to -160 … 300"]
 */
export function historyWords(history: readonly HistoryMark[]): string[] {
  return history.flatMap(({ operator, params }) => {
    const fields = fieldsOf(params);
    const words = (Object.hasOwn(WORDS, operator) ? WORDS[operator]! : unknown(operator))(fields);
    return words.length > 0 ? words : [operator];
  });
}

const WORDS: Readonly<Record<string, (params: Fields) => string[]>> = {
  load: () => ["loaded, turned to point right, front, up"],
  clip: ({ min, max }) => [`clipped to ${number(min)} … ${number(max)}`],
  windowLevel: ({ level, width }) => [`window of ${number(width)} around ${number(level)} onto 0 … 1`],
  rescaleHU: ({ slope, intercept }) => [`Hounsfield units: × ${number(slope)} + ${number(intercept)}`],
  normalize: ({ mode, range }) => [
    mode === "z-score" ? "normalized to mean 0, deviation 1" : `normalized (${text(mode)}${range ? ` to ${list(range)}` : ""})`,
  ],
  resample: ({ spacing, order }) => [`resampled to ${list(spacing, " × ")} mm, ${spline(order)}`],
  resize: ({ size, order }) => [`resized to ${list(size, " × ")} voxels, ${spline(order)}`],
  orient: ({ axes }) => [`turned to ${text(axes)}`],
  pad: ({ minSize, mode }) => [`padded to at least ${list(minSize, " × ")} voxels${mode ? ` (${text(mode)})` : ""}`],
  cropForeground: ({ measured }) => {
    const { start, size } = fieldsOf(measured);
    return [size ? `cropped to ${list(size, " × ")} voxels from (${list(start)})` : "cropped to its foreground"];
  },
  mapLabels: ({ pairs }) => [`labels renamed: ${Array.isArray(pairs) ? pairs.map((pair) => list(pair, " → ")).join(", ") : ""}`],
  oneHot: ({ classes }) => [`labels as one channel for each of ${number(classes)} classes`],
  patch: ({ start, size, margin }) => [`patch of ${list(size, " × ")} voxels from (${list(start)})${margin ? ", margin for turning included" : ""}`],
  augment: augmentWords,
};

function augmentWords(params: Fields): string[] {
  const words: string[] = [];
  const flips = Array.isArray(params.mirror) ? SIDES.filter((_, axis) => (params.mirror as readonly Json[])[axis] === true) : [];
  if (flips.length > 0) words.push(`mirrored ${flips.join(" and ")}`);
  const { angles, scale, shift, elastic } = fieldsOf(params.spatial);
  const turns = numbersOf(angles).flatMap((angle, axis) => (angle === 0 ? [] : [`${degrees(angle)} about ${AXES[axis]}`]));
  if (turns.length > 0) words.push(`rotated ${turns.join(", ")}`);
  const scales = typeof scale === "number" ? [scale] : numbersOf(scale);
  if (scales.some((factor) => factor !== 1)) {
    const shown = scales.every((factor) => factor === scales[0]) ? scales.slice(0, 1) : scales;
    // A factor above 1 takes in more of the case.
    words.push(`zoomed ${shown.map((factor) => `× ${(1 / factor).toFixed(2)}`).join(", ")}`);
  }
  const shifts = numbersOf(shift).flatMap((by, axis) => (by === 0 ? [] : [`${by.toFixed(1)} voxels along ${AXES[axis]}`]));
  if (shifts.length > 0) words.push(`shifted ${shifts.join(", ")}`);
  if (elastic) {
    const { alpha, sigma } = fieldsOf(elastic);
    words.push(`bent elastically, strength ${number(alpha)}, smoothness ${number(sigma)} voxels`);
  }
  // Each technique by itself, or in the order of a list.
  const changes = Array.isArray(params.intensity) ? params.intensity.map(fieldsOf) : [];
  for (const change of changes) words.push(intensityWords(change));
  return words.length > 0 ? words : ["augment: nothing struck this sample"];
}

function intensityWords({ technique, ...change }: Fields): string {
  switch (technique) {
    case "contrast":
      return `contrast × ${each(change.factor)}`;
    case "brightness":
      return `brightness × ${each(change.factor)}`;
    case "additiveBrightness":
      return `brightness + ${each(change.amount)}`;
    case "gamma":
      return `gamma ${each(change.gamma)}`;
    case "invertedGamma":
      return `gamma ${each(change.gamma)} of the negative`;
    case "noise":
      return `noise of deviation ${each(change.sigma, 3)}`;
    case "blur":
      return `blurred, deviation ${triples(change.sigma)} voxels`;
    case "lowResolution":
      return `low resolution, zoom ${triples(change.zoom)}`;
    default:
      return `${text(technique)} ${brief(change)}`;
  }
}

function unknown(operator: string): (params: Fields) => string[] {
  return (params) => [Object.keys(params).length > 0 ? `${operator}: ${brief(params)}` : operator];
}

function fieldsOf(value: Json | undefined): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function numbersOf(value: Json | undefined): number[] {
  return Array.isArray(value) ? value.filter((entry): entry is number => typeof entry === "number") : [];
}

function number(value: Json | undefined): string {
  return typeof value === "number" ? String(+value.toPrecision(4)) : text(value);
}

function text(value: Json | undefined): string {
  return value === undefined || value === null ? "?" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function list(value: Json | undefined, separator = ", "): string {
  return Array.isArray(value) ? value.map((entry) => number(entry)).join(separator) : number(value);
}

/** One number when all channels have the same. */
function each(value: Json | undefined, decimals = 2): string {
  const all = typeof value === "number" ? [value] : numbersOf(value);
  const shown = all.every((entry) => entry === all[0]) ? all.slice(0, 1) : all;
  return shown.map((entry) => entry.toFixed(decimals)).join(" / ");
}

/** A triple for each channel, once when all are the same. */
function triples(value: Json | undefined): string {
  const all = Array.isArray(value) ? value.map((triple) => each(triple)) : [];
  return [...new Set(all)].join("; ");
}

function degrees(radians: number): string {
  return `${((radians * 180) / Math.PI).toFixed(1)}°`;
}

function spline(order: Json | undefined): string {
  return order === 0 ? "nearest neighbors" : order === 1 ? "linear" : order === 3 ? "cubic splines" : `order ${text(order)}`;
}

function brief(params: Fields): string {
  const words = Object.entries(params).map(([name, value]) => `${name} ${typeof value === "number" ? number(value) : JSON.stringify(value)}`);
  const line = words.join(", ");
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
