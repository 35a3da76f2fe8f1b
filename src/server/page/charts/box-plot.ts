import { svg } from "../elements/element.js";

/**
 * On an axis from `low` to `high`: box from the first to the third quartile with the median, whiskers to the farthest values within 1.5 box lengths, and every value as a dot.
 *
 * @source Tukey 1977, Exploratory Data Analysis; quartiles by linear interpolation
 */
export function drawBoxPlot(
  values: readonly (number | undefined)[],
  [low, high]: readonly [number, number],
  format: (value: number) => string,
): SVGSVGElement {
  const [width, height] = [320, 26];
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const at = (share: number) => {
    const position = share * (sorted.length - 1);
    const low = Math.floor(position);
    return sorted[low]! + (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!) * (position - low);
  };
  const [q1, q2, q3] = [at(0.25), at(0.5), at(0.75)];
  const drawing = svg("svg", {
    class: "box-plot",
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label":
      sorted.length === 0
        ? "no values"
        : `lowest ${format(sorted[0]!)}, quartiles ${format(q1)}, ${format(q2)}, ${format(q3)}, highest ${format(sorted[sorted.length - 1]!)}`,
  });
  if (sorted.length === 0) return drawing;
  const x = (value: number) => 6 + ((value - low) / (high - low || 1)) * (width - 12);
  const reach = 1.5 * (q3 - q1);
  const left = sorted.find((value) => value >= q1 - reach)!;
  const right = sorted.findLast((value) => value <= q3 + reach)!;
  drawing.append(
    svg("title", {}, drawing.getAttribute("aria-label")!),
    svg("line", { class: "box-axis", x1: 0, x2: width, y1: height / 2, y2: height / 2 }),
    svg("line", { class: "box-whisker", x1: x(left), x2: x(right), y1: height / 2, y2: height / 2 }),
    svg("rect", { class: "box-box", x: x(q1), y: 5, width: Math.max(1, x(q3) - x(q1)), height: height - 10, rx: 3 }),
    svg("line", { class: "box-median", x1: x(q2), x2: x(q2), y1: 4, y2: height - 4 }),
    // Lines of no length with round ends: dots that stay round when the drawing is stretched.
    ...sorted.slice(0, 400).map((value) => svg("line", { class: "box-dot", x1: x(value), x2: x(value), y1: height / 2, y2: height / 2 })),
  );
  return drawing;
}
