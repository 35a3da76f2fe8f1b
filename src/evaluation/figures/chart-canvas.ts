// Internal: what the figures that are not drawn by Chart.js have in common.
import type { SKRSContext2D } from "@napi-rs/canvas";
import { requireOption } from "../../core/errors.js";
import { FIGURE_FONT, loadCanvas } from "./load-canvas.js";

/** Pixels between the plot and the borders of the picture. */
export interface ChartMargins {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface ChartCanvasOptions {
  /** Of the figure, for errors. */
  readonly where: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** The least of both. */
  readonly leastSize: number;
  readonly margins: ChartMargins;
}

export interface ChartText {
  readonly size?: number;
  readonly color?: string;
  readonly align?: "center" | "right" | "left";
  readonly weight?: 400 | 600;
}

/** Drawn twice as fine as laid out, as curves are. */
const PIXEL_RATIO = 2;

/** A white picture with a title; positions are those of the layout, from the upper left corner. */
export class ChartCanvas {
  readonly ctx: SKRSContext2D;
  readonly width: number;
  readonly height: number;
  readonly margins: ChartMargins;
  readonly encode: () => Promise<Uint8Array>;

  private constructor(ctx: SKRSContext2D, { width, height, margins }: ChartCanvasOptions, encode: () => Promise<Uint8Array>) {
    this.ctx = ctx;
    this.width = width;
    this.height = height;
    this.margins = margins;
    this.encode = encode;
  }

  /** @throws `ERR_OPTION` when the picture is too small */
  static async open(options: ChartCanvasOptions): Promise<ChartCanvas> {
    const { where, title, width, height, leastSize } = options;
    requireOption(width >= leastSize && height >= leastSize, where, "size", `>= ${leastSize}x${leastSize} pixels`, [width, height]);
    const { createCanvas } = await loadCanvas();
    const canvas = createCanvas(width * PIXEL_RATIO, height * PIXEL_RATIO);
    const ctx = canvas.getContext("2d");
    ctx.scale(PIXEL_RATIO, PIXEL_RATIO);
    ctx.fillStyle = "#ffffff";
    ctx.fillRect(0, 0, width, height);
    const chart = new ChartCanvas(ctx, options, () => canvas.encode("png"));
    chart.text(title, width / 2, 24, { size: 17, color: "#111111", weight: 600 });
    return chart;
  }

  text(words: string, x: number, y: number, { size = 12, color = "#444444", align = "center", weight = 400 }: ChartText = {}): void {
    this.ctx.font = `${weight} ${size}px ${FIGURE_FONT}`;
    this.ctx.fillStyle = color;
    this.ctx.textAlign = align;
    this.ctx.textBaseline = "middle";
    this.ctx.fillText(words, x, y);
  }

  textWidth(words: string, size = 12): number {
    this.ctx.font = `400 ${size}px ${FIGURE_FONT}`;
    return this.ctx.measureText(words).width;
  }

  line(x0: number, y0: number, x1: number, y1: number): void {
    this.ctx.beginPath();
    this.ctx.moveTo(x0, y0);
    this.ctx.lineTo(x1, y1);
    this.ctx.stroke();
  }

  /** Grid lines with their values on the left, and the name of the axis along it. */
  valueAxis(
    ticks: readonly number[],
    yOf: (value: number) => number,
    { label, format }: { readonly label: string; readonly format: (value: number) => string },
  ): void {
    const { left, right } = this.margins;
    this.ctx.lineWidth = 1;
    this.ctx.strokeStyle = "#e4e4e4";
    for (const tick of ticks) {
      this.line(left, yOf(tick), this.width - right, yOf(tick));
      this.text(format(tick), left - 8, yOf(tick), { align: "right" });
    }
    this.sideTitle(label);
  }

  /** The name of the vertical axis, along it. */
  sideTitle(label: string): void {
    const { top, bottom } = this.margins;
    this.ctx.save();
    this.ctx.translate(16, top + (this.height - top - bottom) / 2);
    this.ctx.rotate(-Math.PI / 2);
    this.text(label, 0, 0, { size: 13, color: "#333333" });
    this.ctx.restore();
  }
}
