import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../../../src/server/page/styles/tokens.css", import.meta.url), "utf8");
const [light, dark] = [":root {", ':root[data-theme="dark"] {'].map((head) => {
  const body = css.slice(css.indexOf(head) + head.length).split("}")[0]!;
  return Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]));
}) as [Record<string, string>, Record<string, string>];

/** @source WCAG 2.2, relative luminance and contrast ratio */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

const GROUNDS = ["bg", "surface", "raised"];
const TEXTS = ["ink", "muted", "faint", "accent"];
const STATES = ["good", "fair", "weak", "bad", "accent"];

describe.each([
  ["light", light],
  ["dark", dark],
])("the %s theme", (_, tokens) => {
  test.each(TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)))("%s can be read on %s", (text, ground) => {
    expect(contrast(tokens[text]!, tokens[ground]!)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(STATES.flatMap((state) => [[state, `${state}-soft`] as const, [state, "surface"] as const]))("%s can be read on %s", (state, ground) => {
    expect(contrast(tokens[state]!, tokens[ground]!)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(Array.from({ length: 8 }, (_each, i) => `series-${i + 1}`))("%s stands out from the card as a line", (series) => {
    expect(contrast(tokens[series]!, tokens.surface!)).toBeGreaterThanOrEqual(3);
  });
});
