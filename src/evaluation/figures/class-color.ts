/** Red, green, blue, each 0..255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Chosen to differ in hue and lightness on gray CT; the first two are the red and blue of the field's overlays. */
const FIRST: readonly Rgb[] = [
  [240, 60, 60],
  [70, 140, 255],
  [80, 200, 80],
  [255, 205, 50],
  [205, 85, 235],
  [50, 215, 225],
  [255, 140, 40],
  [255, 130, 190],
  [160, 220, 120],
  [150, 130, 255],
  [200, 150, 100],
  [120, 190, 180],
];

/**
 * The color of a class in every figure: label 0 is black, the first twelve come from a fixed list, later ones turn the hue by the golden angle.
 *
 * @example
 * classColor(1); // [240, 60, 60]
 */
export function classColor(label: number): Rgb {
  if (label <= 0) return [0, 0, 0];
  const known = FIRST[label - 1];
  if (known) return known;
  const hue = (label * 137.508) % 360;
  const lightness = [0.6, 0.72, 0.5][label % 3]!;
  return fromHsl(hue, 0.75, lightness);
}

/** @source CSS Color 4, section 7.1 */
function fromHsl(hue: number, saturation: number, lightness: number): Rgb {
  const channel = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
