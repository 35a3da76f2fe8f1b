import type { StageActivity } from "../data/stage-activity.js";
import { svg } from "../elements/element.js";
import { formatPercent, formatRate } from "../elements/format.js";

const NODE = { width: 116, height: 66, gap: 16, row: 22 } as const;

/**
 * Draws the stages as boxes in the order of their edges: in rows from left to right where there is room, from top to bottom on a narrow page.
 * Each box holds name, items per second, the fill of its queue, and a strip of busy, blocked and starved time.
 */
export function drawPipeline(activities: readonly StageActivity[], slowest: string | undefined, width: number): SVGSVGElement {
  const layers = layersOf(activities);
  const place = new Map<string, { x: number; y: number }>();
  const fit = Math.max(1, Math.floor((width + NODE.gap) / (NODE.width + NODE.gap)));
  // Rows of about the same length.
  const perRow = Math.ceil(layers.length / Math.ceil(layers.length / fit));
  const isVertical = fit < 3;
  let y = 0;
  if (isVertical) {
    for (const layer of layers) {
      const total = layer.length * NODE.width + (layer.length - 1) * 12;
      for (const [i, name] of layer.entries()) place.set(name, { x: Math.max(0, (width - total) / 2) + i * (NODE.width + 12), y });
      y += NODE.height + NODE.row;
    }
  } else {
    // Too many layers for one line wrap like text; all rows run left to right.
    for (let from = 0; from < layers.length; from += perRow) {
      const row = layers.slice(from, from + perRow);
      const step = Math.max(NODE.width + NODE.gap, Math.min(176, (width - NODE.width) / Math.max(1, perRow - 1)));
      for (const [column, layer] of row.entries()) {
        for (const [i, name] of layer.entries()) place.set(name, { x: column * step, y: y + i * (NODE.height + 10) });
      }
      y += Math.max(...row.map((layer) => layer.length)) * (NODE.height + 10) + NODE.row;
    }
  }
  const height = Math.max(NODE.height, y - NODE.row) + 4;
  const names = activities.map(({ report }) => report.name).join(", ");
  const drawing = svg("svg", {
    viewBox: `0 -2 ${Math.max(width, NODE.width)} ${height}`,
    width: Math.max(width, NODE.width),
    height,
    role: "img",
    "aria-label": `Stages in order: ${names}`,
  });
  for (const { report } of activities) {
    for (const next of report.to) {
      const [a, b] = [place.get(report.name), place.get(next)];
      if (a && b) drawing.append(svg("path", { class: "edge", d: edge(a, b, isVertical) }));
    }
  }
  for (const entry of activities) drawing.append(node(entry, place.get(entry.report.name)!, entry.report.name === slowest));
  return drawing;
}

/** Stages by their longest distance from a source; a cycle, which a graph cannot have, would only put its stages side by side. */
function layersOf(activities: readonly StageActivity[]): string[][] {
  const depth = new Map(activities.map(({ report }) => [report.name, 0]));
  for (let round = 0; round < activities.length; round++) {
    for (const { report } of activities) {
      for (const next of report.to)
        if (depth.has(next)) depth.set(next, Math.min(activities.length - 1, Math.max(depth.get(next)!, depth.get(report.name)! + 1)));
    }
  }
  const layers: string[][] = [];
  for (const [name, at] of depth) {
    layers[at] ??= [];
    layers[at].push(name);
  }
  return layers.filter((layer) => layer !== undefined);
}

type Point = { readonly x: number; readonly y: number };

function edge(a: Point, b: Point, isVertical: boolean): string {
  if (isVertical) {
    const [x1, y1, x2, y2] = [a.x + NODE.width / 2, a.y + NODE.height, b.x + NODE.width / 2, b.y];
    return `M${x1} ${y1} C${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2} ${x2} ${y2}`;
  }
  const [x1, y1, x2, y2] = [a.x + NODE.width, a.y + NODE.height / 2, b.x, b.y + NODE.height / 2];
  if (x2 < x1) {
    // To the start of the next row.
    const between = a.y + NODE.height + NODE.row / 2 + 3;
    return `M${a.x + NODE.width / 2} ${a.y + NODE.height} L${a.x + NODE.width / 2} ${between} L${b.x + NODE.width / 2} ${between} L${b.x + NODE.width / 2} ${b.y}`;
  }
  return `M${x1} ${y1} C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
}

function node({ report, perSecond, busy, blocked, starved }: StageActivity, { x, y }: Point, isSlowest: boolean): SVGGElement {
  const inner = NODE.width - 20;
  const fill = report.maxHeld > 0 ? Math.min(1, report.held / report.maxHeld) : 0;
  const total = busy + blocked + starved || 1;
  const name = report.name.length > 13 ? `${report.name.slice(0, 11)}…` : report.name;
  const group = svg(
    "g",
    { class: `node ${report.state}${isSlowest ? " slowest" : ""}`, transform: `translate(${x} ${y})` },
    svg(
      "title",
      {},
      `${report.name}: ${report.state}, ${formatRate(perSecond)} items/s, queue ${report.held}/${report.maxHeld}, busy ${formatPercent(busy)}`,
    ),
    svg("rect", { class: "node-box", width: NODE.width, height: NODE.height, rx: 10 }),
    svg("circle", { class: "node-dot", cx: 14, cy: 17, r: 4 }),
    svg("text", { class: "node-name", x: 24, y: 21 }, name),
    svg("text", { class: "node-rate", x: 10, y: 40 }, perSecond === undefined ? "" : `${formatRate(perSecond)}/s`),
    svg("text", { class: "node-queue", x: NODE.width - 10, y: 40, "text-anchor": "end" }, `${report.held}/${report.maxHeld}`),
    svg("rect", { class: "node-track", x: 10, y: 46, width: inner, height: 4, rx: 2 }),
    svg("rect", { class: "node-fill", x: 10, y: 46, width: inner * fill, height: 4, rx: 2 }),
  );
  let at = 10;
  for (const [kind, value] of Object.entries({ busy, blocked, starved })) {
    const part = (inner * value) / total;
    group.append(svg("rect", { class: `strip ${kind}`, x: at, y: 54, width: Math.max(0, part), height: 4 }));
    at += part;
  }
  return group;
}
