import { requireOption } from "../../core/errors.js";
import type { Rgb } from "./class-color.js";
import { FIGURE_FONT, loadCanvas } from "./load-canvas.js";

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

/** Drawn twice as fine as laid out, as curves are. */
const PIXEL_RATIO = 2;
const LEFT = 74;
const RIGHT = 30;
const TOP = 50;
const BOTTOM = 58;
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
  const { title, points, xLabel = "", yLabel = "", range, width = 760, height = 460 } = options;
  requireOption(points.length > 0, "scatterFigure", "points", "at least one point", points);
  requireOption(
    points.every(({ x }) => x > 0 && Number.isFinite(x)),
    "scatterFigure",
    "x",
    "> 0 for every point",
    points.map(({ x }) => x),
  );
  requireOption(width >= 200 && height >= 200, "scatterFigure", "size", ">= 200x200 pixels", [width, height]);
  const { createCanvas } = await loadCanvas();
  const canvas = createCanvas(width * PIXEL_RATIO, height * PIXEL_RATIO);
  const ctx = canvas.getContext("2d");
  ctx.scale(PIXEL_RATIO, PIXEL_RATIO);
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, width, height);
  const text = (words: string, x: number, y: number, size: number, color: string, align: "center" | "right" | "left", weight = 400): void => {
    ctx.font = `${weight} ${size}px ${FIGURE_FONT}`;
    ctx.fillStyle = color;
    ctx.textAlign = align;
    ctx.textBaseline = "middle";
    ctx.fillText(words, x, y);
  };
  const line = (x0: number, y0: number, x1: number, y1: number): void => {
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  };

  const xs = points.map(({ x }) => x);
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const isLogarithmic = most / least > 10;
  const scaled = (x: number): number => (isLogarithmic ? Math.log10(x) : x);
  const pad = (scaled(most) - scaled(least)) * 0.08 || Math.abs(scaled(most)) * 0.1 || 1;
  // Room on the right for the names of the last points.
  const [x0, x1] = [isLogarithmic ? scaled(least) - pad : Math.max(0, scaled(least) - pad), scaled(most) + 2.5 * pad];
  const xOf = (x: number): number => LEFT + ((scaled(x) - x0) / (x1 - x0)) * (width - LEFT - RIGHT);
  const reach = points.flatMap(({ y, interval }) => [y, ...(interval ?? [])]);
  const yTicks = roundTicks(range ?? [Math.min(...reach), Math.max(...reach)]);
  const [low, high] = range ?? [yTicks[0]!, yTicks.at(-1)!];
  const yOf = (y: number): number => height - BOTTOM - ((y - low) / (high - low)) * (height - TOP - BOTTOM);

  text(title, width / 2, 24, 17, "#111111", "center", 600);
  ctx.lineWidth = 1;
  ctx.strokeStyle = "#e4e4e4";
  for (const tick of yTicks.filter((value) => value >= low && value <= high)) {
    line(LEFT, yOf(tick), width - RIGHT, yOf(tick));
    text(short(tick), LEFT - 8, yOf(tick), 12, "#444444", "right");
  }
  const xTicks = isLogarithmic ? decades(10 ** x0, 10 ** x1) : roundTicks([x0, x1]).filter((x) => x >= x0 && x <= x1);
  for (const tick of xTicks) {
    line(xOf(tick), TOP, xOf(tick), height - BOTTOM);
    text(short(tick), xOf(tick), height - BOTTOM + 14, 12, "#444444", "center");
  }
  text(xLabel, LEFT + (width - LEFT - RIGHT) / 2, height - 16, 13, "#333333", "center");
  ctx.save();
  ctx.translate(16, TOP + (height - TOP - BOTTOM) / 2);
  ctx.rotate(-Math.PI / 2);
  text(yLabel, 0, 0, 13, "#333333", "center");
  ctx.restore();

  for (const { x, y, interval, color } of points) {
    ctx.strokeStyle = `rgba(${color.join(", ")}, 0.55)`;
    ctx.lineWidth = 2;
    if (interval) line(xOf(x), yOf(interval[0]), xOf(x), yOf(interval[1]));
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
    ctx.font = `400 12px ${FIGURE_FONT}`;
    const wide = ctx.measureText(name).width;
    const isLeft = xOf(x) + 12 + wide > width - 4;
    const from = isLeft ? xOf(x) - 12 - wide : xOf(x) + 12;
    let at = yOf(y);
    while (placed.some((other) => other.from < from + wide && other.to > from && Math.abs(other.y - at) < NAME_HEIGHT)) at += 3;
    placed.push({ from, to: from + wide, y: at });
    ctx.strokeStyle = "#aaaaaa";
    if (Math.abs(at - yOf(y)) > 4) line(xOf(x), yOf(y), isLeft ? from + wide + 2 : from - 2, at);
    // A white rim keeps the name readable on the bars of other points.
    ctx.strokeStyle = "#ffffff";
    ctx.lineWidth = 3.5;
    ctx.lineJoin = "round";
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.strokeText(name, from, at);
    ctx.lineWidth = 1;
    text(name, from, at, 12, "#222222", "left");
  }
  return canvas.encode("png");
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

/** Steps of 1, 2 or 5 times a power of ten that enclose the range. */
function roundTicks([low, high]: readonly [number, number]): readonly number[] {
  const [from, to] = high > low ? [low, high] : [low - 0.5, high + 0.5];
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.floor(from / step + 1e-9);
  const last = Math.ceil(to / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}
