import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { ChartCanvas } from "./chart-canvas.js";
import type { Rgb } from "./class-color.js";
import { roundTicks } from "./round-ticks.js";

export interface ScatterPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Drawn as a bar through the point. */
  readonly interval?: readonly [low: number, high: number] | null;
  readonly color: Rgb;
}

export interface ScatterFigureOptions {
  readonly title: string;
  readonly points: readonly ScatterPoint[];
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Fixed ends of the vertical axis. */
  readonly range?: readonly [min: number, max: number];
  readonly width?: number;
  readonly height?: number;
}

const MARGINS = { left: 74, right: 30, top: 50, bottom: 58 } as const;
/** Least height between two names. */
const NAME_HEIGHT = 15;

/**
 * A PNG of named points with intervals: what is gained over what it costs. The horizontal axis is logarithmic when the values differ by more than tenfold.
 *
 * @throws `ERR_OPTION` when there is no point, or an x is not > 0
 * @example
 * await writeFile("cost.png", await scatterFigure({ title: "Dice", points: [{ name: "unet", x: 120, y: 0.9, interval: [0.88, 0.92], color: classColor(1) }] }));
 */
export async function scatterFigure(options: ScatterFigureOptions): Promise<Uint8Array> {
  requireKnownOptions("scatterFigure", options, ["title", "points", "xLabel", "yLabel", "range", "width", "height"]);
  const { title, points, xLabel = "", yLabel = "", range, width = 760, height = 460 } = options;
  requireOption(points.length > 0, "scatterFigure", "points", "at least one point", points);
  requireOption(
    points.every(({ x }) => x > 0 && Number.isFinite(x)),
    "scatterFigure",
    "x",
    "> 0 for every point",
    points.map(({ x }) => x),
  );
  const chart = await ChartCanvas.open({ where: "scatterFigure", title, width, height, leastSize: 200, margins: MARGINS });
  const { ctx } = chart;
  const { left, right, top, bottom } = MARGINS;

  const xs = points.map(({ x }) => x);
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const isLogarithmic = most / least > 10;
  const scaled = (x: number): number => (isLogarithmic ? Math.log10(x) : x);
  const pad = (scaled(most) - scaled(least)) * 0.08 || Math.abs(scaled(most)) * 0.1 || 1;
  // Room on the right for the names of the last points.
  const [x0, x1] = [isLogarithmic ? scaled(least) - pad : Math.max(0, scaled(least) - pad), scaled(most) + 2.5 * pad];
  const xOf = (x: number): number => left + ((scaled(x) - x0) / (x1 - x0)) * (width - left - right);
  const reach = points.flatMap(({ y, interval }) => [y, ...(interval ?? [])]);
  const yTicks = roundTicks(range ?? [Math.min(...reach), Math.max(...reach)]);
  const [low, high] = range ?? [yTicks[0]!, yTicks.at(-1)!];
  const yOf = (y: number): number => height - bottom - ((y - low) / (high - low)) * (height - top - bottom);

  const shown = yTicks.filter((value) => value >= low && value <= high);
  chart.valueAxis(shown, yOf, { label: yLabel, format: short });
  const xTicks = isLogarithmic ? decades(10 ** x0, 10 ** x1) : roundTicks([x0, x1]).filter((x) => x >= x0 && x <= x1);
  for (const tick of xTicks) {
    chart.line(xOf(tick), top, xOf(tick), height - bottom);
    chart.text(short(tick), xOf(tick), height - bottom + 14);
  }
  chart.text(xLabel, left + (width - left - right) / 2, height - 16, { size: 13, color: "#333333" });

  for (const { x, y, interval, color } of points) {
    ctx.strokeStyle = `rgba(${color.join(", ")}, 0.55)`;
    ctx.lineWidth = 2;
    if (interval) chart.line(xOf(x), yOf(interval[0]), xOf(x), yOf(interval[1]));
    ctx.fillStyle = `rgb(${color.join(", ")})`;
    ctx.strokeStyle = "#222222";
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.arc(xOf(x), yOf(y), 5.5, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  }
  // Names from top to bottom; one that would lie on another moves down, with a thin line to its point.
  const placed: { readonly from: number; readonly to: number; readonly y: number }[] = [];
  for (const { name, x, y } of [...points].sort((a, b) => b.y - a.y)) {
    const wide = chart.textWidth(name);
    const isLeft = xOf(x) + 12 + wide > width - 4;
    const from = isLeft ? xOf(x) - 12 - wide : xOf(x) + 12;
    let at = yOf(y);
    while (placed.some((other) => other.from < from + wide && other.to > from && Math.abs(other.y - at) < NAME_HEIGHT)) at += 3;
    placed.push({ from, to: from + wide, y: at });
    ctx.strokeStyle = "#aaaaaa";
    if (Math.abs(at - yOf(y)) > 4) chart.line(xOf(x), yOf(y), isLeft ? from + wide + 2 : from - 2, at);
    // A white rim keeps the name readable on the bars of other points.
    ctx.strokeStyle = "#ffffff";
    ctx.lineWidth = 3.5;
    ctx.lineJoin = "round";
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.strokeText(name, from, at);
    ctx.lineWidth = 1;
    chart.text(name, from, at, { color: "#222222", align: "left" });
  }
  return chart.encode();
}

function short(value: number): string {
  const rounded = Number(value.toPrecision(6));
  return Math.abs(rounded) >= 1e6 ? `${rounded / 1e6}M` : Math.abs(rounded) >= 1e4 ? `${rounded / 1e3}k` : String(rounded);
}

/** 1, 2 and 5 times the powers of ten in a range. */
function decades(from: number, to: number): readonly number[] {
  const powers = Array.from({ length: 40 }, (_, k) => 10 ** (k - 15));
  return powers.flatMap((power) => [power, 2 * power, 5 * power]).filter((value) => value >= from && value <= to);
}
