import type { Chart, ChartItem, LegendItem } from "chart.js";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { FIGURE_FONT, loadCanvas } from "./load-canvas.js";

export interface Curve {
  readonly name: string;
  /** One value per x; NaN where nothing was measured, the line goes on to the next value. */
  readonly values: readonly number[];
}

export interface CurveFigureOptions {
  readonly title: string;
  /** Positions on the horizontal axis. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** For learning rates. */
  readonly isLogarithmic?: boolean;
  /** Fixed ends of the vertical axis: `[0, 1]` for overlaps. */
  readonly range?: readonly [min: number, max: number];
  readonly width?: number;
  readonly height?: number;
}

/** Train, validation, further ones: told apart by color and by dashes, also in gray print. */
const STYLES = [
  { color: "#1f5fbf", dash: [] },
  { color: "#e07b00", dash: [7, 4] },
  { color: "#2a8f4c", dash: [2, 3] },
  { color: "#a23bb0", dash: [10, 3, 2, 3] },
  { color: "#6b6b6b", dash: [] },
] as const;

/** Drawn twice as fine as laid out, so that pages on dense screens and papers stay sharp. */
const PIXEL_RATIO = 2;

/**
 * A PNG of curves on white: title, axes, legend, a grid.
 *
 * @throws `ERR_OPTION` when a curve has another length than `x`
 * @example
 * await writeFile("loss.png", await curveFigure({ title: "Loss", x: [1, 2, 3], curves: [{ name: "Train", values: [3, 2, 1] }] }));
 */
export async function curveFigure({
  title,
  x,
  curves,
  xLabel = "Epoch",
  yLabel = "",
  isLogarithmic = false,
  range,
  width = 760,
  height = 440,
  ...unknown
}: CurveFigureOptions): Promise<Uint8Array> {
  requireKnownOptions("curveFigure", unknown, ["title", "x", "curves", "xLabel", "yLabel", "isLogarithmic", "range", "width", "height"]);
  requireOption(curves.length > 0, "curveFigure", "curves", "at least one curve", curves);
  for (const curve of curves)
    requireOption(curve.values.length === x.length, "curveFigure", `curve ${curve.name}`, `${x.length} values, one per x`, curve.values.length);
  requireOption(width >= 100 && height >= 100, "curveFigure", "size", ">= 100x100 pixels", [width, height]);
  const [{ createCanvas }, chart] = await Promise.all([loadCanvas(), import("chart.js")]);
  const { Legend, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Title } = chart;
  chart.Chart.register(Legend, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Title);

  const canvas = createCanvas(width, height);
  const font = (size: number, weight: "normal" | 600 = "normal") => ({ family: FIGURE_FONT, size, weight });
  const axis = (text: string) => ({
    title: { display: text !== "", text, font: font(13), color: "#333333" },
    ticks: { font: font(12), color: "#444444" },
    grid: { color: "#e4e4e4" },
  });
  const drawn = new chart.Chart(
    // The shipped canvas has the interface that Chart.js uses; its type is another one than the browser's.
    canvas.getContext("2d") as unknown as ChartItem,
    {
      type: "line",
      data: {
        datasets: curves.map((curve, i) => {
          const { color, dash } = STYLES[i % STYLES.length]!;
          return {
            label: curve.name,
            data: x.map((at, k) => ({ x: at, y: curve.values[k]! })),
            borderColor: color,
            backgroundColor: color,
            borderDash: [...dash],
            borderWidth: 2,
            // A single point is invisible as a line; validation may be measured every few epochs only.
            pointRadius: curve.values.filter(Number.isFinite).length <= 40 ? 2.5 : 0,
            spanGaps: true,
            clip: 6,
          };
        }),
      },
      options: {
        animation: false,
        responsive: false,
        devicePixelRatio: PIXEL_RATIO,
        events: [],
        layout: { padding: { left: 8, right: 18, top: 4, bottom: 6 } },
        scales: {
          x: { type: "linear", ...axis(xLabel), ...ends(x), ticks: { ...axis("").ticks, precision: 0 } },
          y: { type: isLogarithmic ? "logarithmic" : "linear", ...axis(yLabel), ...(range ? { min: range[0], max: range[1] } : {}) },
        },
        plugins: {
          title: { display: true, text: title, font: font(17, 600), color: "#111111", padding: { top: 8, bottom: 6 } },
          legend: {
            display: curves.length > 1,
            position: "top",
            align: "end",
            labels: { font: font(13), usePointStyle: true, pointStyleWidth: 34, generateLabels: legendLines },
          },
        },
      },
      plugins: [
        {
          id: "paper",
          beforeDraw: ({ ctx }) => {
            ctx.save();
            ctx.fillStyle = "#ffffff";
            ctx.fillRect(0, 0, width, height);
            ctx.restore();
          },
        },
      ],
    },
  );
  try {
    return await canvas.encode("png");
  } finally {
    drawn.destroy();
  }
}

/** Chart.js' own legend forgets the dashes. */
function legendLines(chart: Chart): LegendItem[] {
  return chart.data.datasets.map((dataset, datasetIndex) => {
    const { color, dash } = STYLES[datasetIndex % STYLES.length]!;
    return {
      text: dataset.label ?? "",
      datasetIndex,
      strokeStyle: color,
      fillStyle: color,
      fontColor: "#222222",
      lineWidth: 2,
      lineDash: [...dash],
      pointStyle: "line",
    };
  });
}

/** One epoch must not become an axis from 0.5 to 1.5 with half epochs. */
function ends(x: readonly number[]): { readonly min: number; readonly max: number } {
  const min = x.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const max = x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(min)) return { min: 0, max: 1 };
  return max > min ? { min, max } : { min: min - 1, max: max + 1 };
}
