import { requireOption } from "../../core/errors.js";
import { percentile } from "../../metrics/index.js";
import type { Rgb } from "../figures/class-color.js";
import { FIGURE_FONT, loadCanvas } from "../figures/load-canvas.js";

export interface Box {
  readonly name: string;
  /** One value per case; NaN does not count. */
  readonly values: readonly number[];
  readonly color: Rgb;
}

export interface BoxFigureOptions {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly yLabel?: string;
  /** Fixed ends of the vertical axis: `[0, 1]` for overlaps. */
  readonly range?: readonly [min: number, max: number];
  readonly width?: number;
  readonly height?: number;
}

/** Drawn twice as fine as laid out, as curves are. */
const PIXEL_RATIO = 2;
const LEFT = 74;
const RIGHT = 20;
const TOP = 50;
const BOTTOM = 52;

/**
 * A PNG of box plots: quartiles, median, whiskers to the last values within 1.5 interquartile ranges, every case as a point, the mean as a diamond.
 *
 * @throws `ERR_OPTION` when there is no box
 * @source Tukey, Exploratory Data Analysis (1977), section 2C, with quartiles that are linear between ranks
 * @example
 * await writeFile("dice.png", await boxFigure({ title: "Dice", boxes: [{ name: "kidney", values: [0.9, 0.95], color: classColor(1) }], range: [0, 1] }));
 */
export async function boxFigure({ title, boxes, yLabel = "", range, width = 760, height = 440 }: BoxFigureOptions): Promise<Uint8Array> {
  requireOption(boxes.length > 0, "boxFigure", "boxes", "at least one box", boxes);
  requireOption(width >= 160 && height >= 160, "boxFigure", "size", ">= 160x160 pixels", [width, height]);
  const { createCanvas } = await loadCanvas();
  const canvas = createCanvas(width * PIXEL_RATIO, height * PIXEL_RATIO);
  const ctx = canvas.getContext("2d");
  ctx.scale(PIXEL_RATIO, PIXEL_RATIO);
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, width, height);
  const text = (words: string, x: number, y: number, size: number, color: string, align: "center" | "right", weight = 400): void => {
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

  const known = boxes.map(({ values }) => Float64Array.from(values.filter(Number.isFinite)).sort());
  const all = known.flatMap((values) => [...values]);
  const extent = all.reduce(([min, max], value) => [Math.min(min, value), Math.max(max, value)] as const, [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as readonly [number, number]);
  const ticks = ticksOf(range ?? extent);
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  const yOf = (value: number): number => height - BOTTOM - ((value - low) / (high - low)) * (height - TOP - BOTTOM);

  text(title, width / 2, 24, 17, "#111111", "center", 600);
  ctx.lineWidth = 1;
  ctx.strokeStyle = "#e4e4e4";
  for (const tick of ticks) {
    line(LEFT, yOf(tick), width - RIGHT, yOf(tick));
    text(String(Number(tick.toPrecision(6))), LEFT - 8, yOf(tick), 12, "#444444", "right");
  }
  if (yLabel !== "") {
    ctx.save();
    ctx.translate(16, TOP + (height - TOP - BOTTOM) / 2);
    ctx.rotate(-Math.PI / 2);
    text(yLabel, 0, 0, 13, "#333333", "center");
    ctx.restore();
  }

  const slot = (width - LEFT - RIGHT) / boxes.length;
  const half = Math.min(44, slot * 0.3);
  ctx.font = `400 13px ${FIGURE_FONT}`;
  const isWide = boxes.every(({ name }, at) => ctx.measureText(`${name} (n = ${known[at]!.length})`).width <= slot - 6);
  boxes.forEach(({ name, color }, at) => {
    const values = known[at]!;
    const x = LEFT + slot * (at + 0.5);
    const rgb = color.join(", ");
    if (isWide) text(`${name} (n = ${values.length})`, x, height - BOTTOM + 20, 13, "#222222", "center");
    else {
      text(name, x, height - BOTTOM + 16, 12, "#222222", "center");
      text(`n = ${values.length}`, x, height - BOTTOM + 33, 12, "#666666", "center");
    }
    if (values.length === 0) return;
    const [q1, median, q3] = [25, 50, 75].map((percent) => percentile(values, percent)) as [number, number, number];
    const reach = 1.5 * (q3 - q1);
    const inside = values.filter((value) => value >= q1 - reach && value <= q3 + reach);
    ctx.strokeStyle = "#333333";
    ctx.lineWidth = 1.5;
    // A whisker never ends inside the box, where interpolated quartiles lie beyond the last value that is near enough.
    for (const [from, to] of [
      [q1, Math.min(q1, inside[0]!)],
      [q3, Math.max(q3, inside.at(-1)!)],
    ] as const) {
      line(x, yOf(from), x, yOf(to));
      line(x - half / 2, yOf(to), x + half / 2, yOf(to));
    }
    ctx.fillStyle = `rgba(${rgb}, 0.25)`;
    ctx.fillRect(x - half, yOf(q3), 2 * half, yOf(q1) - yOf(q3));
    ctx.strokeRect(x - half, yOf(q3), 2 * half, yOf(q1) - yOf(q3));
    ctx.lineWidth = 3;
    line(x - half, yOf(median), x + half, yOf(median));
    ctx.fillStyle = `rgba(${rgb}, 0.9)`;
    values.forEach((value, k) => {
      ctx.beginPath();
      // Side by side by the golden ratio: equal values do not hide each other, and the same picture comes every time.
      ctx.arc(x + half * 1.2 * (((k * 0.618034) % 1) - 0.5), yOf(value), 3, 0, 2 * Math.PI);
      ctx.fill();
    });
    const mean = yOf(values.reduce((sum, value) => sum + value, 0) / values.length);
    ctx.fillStyle = "#111111";
    ctx.beginPath();
    ctx.moveTo(x, mean - 5);
    ctx.lineTo(x + 5, mean);
    ctx.lineTo(x, mean + 5);
    ctx.lineTo(x - 5, mean);
    ctx.fill();
  });
  return canvas.encode("png");
}

/** Round numbers that enclose the range: steps of 1, 2 or 5 times a power of ten. */
function ticksOf([low, high]: readonly [number, number]): readonly number[] {
  const [from, to] = Number.isFinite(low) && Number.isFinite(high) ? (high > low ? [low, high] : [low - 0.5, high + 0.5]) : [0, 1];
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.floor(from / step + 1e-9);
  const last = Math.ceil(to / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}
