import { svg } from "../elements/element.js";

/** A small curve without axes. */
export function sparkline(values: readonly (number | null)[], label: string, width = 120, height = 28): SVGSVGElement {
  const finite = values.filter((value): value is number => value !== null && Number.isFinite(value));
  const drawing = svg("svg", {
    class: "sparkline",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": label,
    preserveAspectRatio: "none",
  });
  if (finite.length < 2) return drawing;
  const min = Math.min(...finite);
  const span = Math.max(...finite) - min || 1;
  const points = finite.map(
    (value, i) => `${((i / (finite.length - 1)) * (width - 4) + 2).toFixed(1)},${(height - 3 - ((value - min) / span) * (height - 6)).toFixed(1)}`,
  );
  drawing.append(
    svg("polygon", { class: "sparkline-area", points: `2,${height} ${points.join(" ")} ${width - 2},${height}` }),
    svg("polyline", { class: "sparkline-line", points: points.join(" ") }),
    svg("circle", { class: "sparkline-end", cx: points[points.length - 1]!.split(",")[0]!, cy: points[points.length - 1]!.split(",")[1]!, r: 2 }),
  );
  return drawing;
}
