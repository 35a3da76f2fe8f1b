import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { percentile } from "../../metrics/index.js";
import { ChartCanvas } from "../figures/chart-canvas.js";
import type { Rgb } from "../figures/class-color.js";
import { roundTicks } from "../figures/round-ticks.js";

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

const MARGINS = { left: 74, right: 20, top: 50, bottom: 52 } as const;

/**
 * A PNG of box plots: quartiles, median, whiskers to the last values within 1.5 interquartile ranges, every case as a point, the mean as a diamond.
 *
 * @throws `ERR_OPTION` when there is no box
 * @source Tukey, Exploratory Data Analysis (1977), section 2C, with quartiles that are linear between ranks
 * @example
 * await writeFile("dice.png", await boxFigure({ title: "Dice", boxes: [{ name: "kidney", values: [0.9, 0.95], color: classColor(1) }], range: [0, 1] }));
 */
export async function boxFigure({ title, boxes, yLabel = "", range, width = 760, height = 440, ...unknown }: BoxFigureOptions): Promise<Uint8Array> {
  requireKnownOptions("boxFigure", unknown, ["title", "boxes", "yLabel", "range", "width", "height"]);
  requireOption(boxes.length > 0, "boxFigure", "boxes", "at least one box", boxes);
  const chart = await ChartCanvas.open({ where: "boxFigure", title, width, height, leastSize: 160, margins: MARGINS });
  const { ctx } = chart;
  const { left, right, top, bottom } = MARGINS;

  const known = boxes.map(({ values }) => Float64Array.from(values.filter(Number.isFinite)).sort());
  const all = known.flatMap((values) => [...values]);
  const extent = all.reduce(([min, max], value) => [Math.min(min, value), Math.max(max, value)] as const, [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as readonly [number, number]);
  const ticks = roundTicks(range ?? extent);
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  const yOf = (value: number): number => height - bottom - ((value - low) / (high - low)) * (height - top - bottom);

  chart.valueAxis(ticks, yOf, { label: yLabel, format: (tick) => String(Number(tick.toPrecision(6))) });

  const slot = (width - left - right) / boxes.length;
  const half = Math.min(44, slot * 0.3);
  const isWide = boxes.every(({ name }, at) => chart.textWidth(`${name} (n = ${known[at]!.length})`, 13) <= slot - 6);
  boxes.forEach(({ name, color }, at) => {
    const values = known[at]!;
    const x = left + slot * (at + 0.5);
    const rgb = color.join(", ");
    if (isWide) chart.text(`${name} (n = ${values.length})`, x, height - bottom + 20, { size: 13, color: "#222222" });
    else {
      chart.text(name, x, height - bottom + 16, { color: "#222222" });
      chart.text(`n = ${values.length}`, x, height - bottom + 33, { color: "#666666" });
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
      chart.line(x, yOf(from), x, yOf(to));
      chart.line(x - half / 2, yOf(to), x + half / 2, yOf(to));
    }
    ctx.fillStyle = `rgba(${rgb}, 0.25)`;
    ctx.fillRect(x - half, yOf(q3), 2 * half, yOf(q1) - yOf(q3));
    ctx.strokeRect(x - half, yOf(q3), 2 * half, yOf(q1) - yOf(q3));
    ctx.lineWidth = 3;
    chart.line(x - half, yOf(median), x + half, yOf(median));
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
  return chart.encode();
}
