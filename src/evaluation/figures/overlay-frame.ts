import type { Rgb } from "./class-color.js";
import { classColor } from "./class-color.js";

/** One picture in two layers, so that a GIF palette can be made exactly: gray, and the class that tints a pixel. */
export interface OverlayFrame {
  readonly width: number;
  readonly height: number;
  readonly gray: Uint8Array;
  /** 0: gray alone; 2 * label - 1: gray tinted by the class; 2 * label: the class's color alone. */
  readonly tint: Uint32Array;
  /** Share of the class's color in tinted pixels. */
  readonly alpha: number;
  /** The color of each label; that of the class where absent. */
  readonly colorOf?: (label: number) => Rgb;
}

/** The color of a pixel of gray level `gray` under a tint. */
export function overlayColor(gray: number, tint: number, alpha: number, colorOf: (label: number) => Rgb = classColor): Rgb {
  if (tint === 0) return [gray, gray, gray];
  const [red, green, blue] = colorOf((tint + 1) >> 1);
  if (tint % 2 === 0) return [red, green, blue];
  const mix = (channel: number): number => Math.round((1 - alpha) * gray + alpha * channel);
  return [mix(red), mix(green), mix(blue)];
}

/** RGBA bytes of a frame. */
export function overlayPixels({ gray, tint, alpha, colorOf }: OverlayFrame): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(gray.length * 4);
  for (let i = 0, to = 0; i < gray.length; i++, to += 4) {
    const [red, green, blue] = overlayColor(gray[i]!, tint[i]!, alpha, colorOf);
    rgba[to] = red;
    rgba[to + 1] = green;
    rgba[to + 2] = blue;
    rgba[to + 3] = 255;
  }
  return rgba;
}

const MAX_COLORS = 256;
/** Enough for a window of soft tissue; twice as many make the file a quarter larger. */
const GRAYS = 64;

/**
 * A frame as indices into its own palette: one ramp of grays, one shorter or equal ramp per tinted class, one entry per plain color. No quantizer has to
 * guess, so flat areas stay flat and the colors of classes are the same in every frame.
 *
 * @example
 * const { palette, indices } = indexFrame(frame);
 */
export function indexFrame({ gray, tint, alpha, colorOf }: OverlayFrame): { readonly palette: readonly Rgb[]; readonly indices: Uint8Array } {
  const tints = tintsOf(tint);
  const fills = tints.filter((t) => t % 2 === 1).length;
  const solids = tints.length - fills;
  const perFill = fills === 0 ? 0 : Math.max(1, Math.min(GRAYS, Math.floor((MAX_COLORS - solids - GRAYS) / fills)));

  const palette: Rgb[] = [];
  // First index and number of levels of each tint's ramp.
  const ramps = new Map<number, readonly [first: number, levels: number]>();
  for (const t of [0, ...tints]) {
    const levels = t === 0 ? GRAYS : t % 2 === 0 ? 1 : perFill;
    // More classes in one slice than a palette can hold share the entries of the others.
    if (palette.length + levels > MAX_COLORS) {
      ramps.set(t, ramps.get(tints[0]!)!);
      continue;
    }
    ramps.set(t, [palette.length, levels]);
    for (let level = 0; level < levels; level++)
      palette.push(overlayColor(levels === 1 ? 128 : Math.round((level * 255) / (levels - 1)), t, alpha, colorOf));
  }
  const tables = new Map(
    [...ramps].map(([t, [first, levels]]) => [t, Uint8Array.from({ length: 256 }, (_, level) => first + Math.round((level * (levels - 1)) / 255))]),
  );
  const indices = new Uint8Array(gray.length);
  let last = 0;
  let table = tables.get(0)!;
  for (let i = 0; i < gray.length; i++) {
    const t = tint[i]!;
    if (t !== last) {
      table = tables.get(t)!;
      last = t;
    }
    indices[i] = table[gray[i]!]!;
  }
  return { palette, indices };
}

/** Tints that occur, ascending, without 0. Neighbors are mostly equal, so most pixels cost one comparison. */
function tintsOf(tint: Uint32Array): number[] {
  const found = new Set<number>();
  let last = 0;
  for (let i = 0; i < tint.length; i++) {
    if (tint[i] === last) continue;
    last = tint[i]!;
    if (last !== 0) found.add(last);
  }
  return [...found].sort((a, b) => a - b);
}
