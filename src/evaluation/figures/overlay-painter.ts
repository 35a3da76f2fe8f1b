import { requireOption, VoxError } from "../../core/errors.js";
import { elementCount, formatShape, type Triple } from "../../core/shape.js";
import { classColor, type Rgb } from "./class-color.js";
import { ERROR_KINDS, errorColor, errorLabel } from "./error-kinds.js";
import { type IntensityWindow, intensityWindow } from "./intensity-window.js";
import { type CanvasModule, FIGURE_FONT } from "./load-canvas.js";
import type { OverlayFrame } from "./overlay-frame.js";
import { type PlaneName, type SlicePlane, slicePlane } from "./slice-plane.js";

/** One case to show; all arrays on one canonical grid. */
export interface OverlayCase {
  readonly id: string;
  /** Intensities; of several channels the first is shown. */
  readonly image: ArrayLike<number>;
  readonly channels?: number;
  /** What is held to be true; shown as "Ground truth". */
  readonly label?: ArrayLike<number>;
  readonly prediction?: ArrayLike<number>;
  readonly shape: Triple;
  /** mm, `[z, y, x]`. */
  readonly spacing: Triple;
}

export interface OverlayOptions {
  /** Class names; index = label value. */
  readonly classes: readonly string[];
  /** Intensities shown as black and white, such as HU -160..240; found from the image where absent. */
  readonly window?: IntensityWindow;
  /** Share of the class's color over the image; 0.3 as in MIScnn's figures. */
  readonly alpha?: number;
  /** A full-colored line around each region. */
  readonly outline?: boolean;
  readonly plane?: PlaneName;
  /** A third panel with what is right, added and missed, where truth and prediction are given; off by default. */
  readonly errors?: boolean;
  /** Instead of the standard colors, by class name. */
  readonly colors?: Readonly<Record<string, Rgb>>;
  /** Longer side of one image in pixels. */
  readonly panelSize?: number;
  /** Behind the class names in the legend, by label: "Dice 0.93". */
  readonly scores?: Readonly<Record<number, string>>;
  /** Beside the case id: "epoch 12". */
  readonly caption?: string;
}

/** Names that every picture of a case takes. */
export const OVERLAY_OPTIONS = Object.keys({
  classes: true,
  window: true,
  alpha: true,
  outline: true,
  plane: true,
  errors: true,
  colors: true,
  panelSize: true,
  scores: true,
  caption: true,
} satisfies Record<keyof OverlayOptions, true>);

interface Panel {
  readonly title: string;
  readonly left: number;
  readonly top: number;
  readonly labelAt: ((voxel: number) => number) | undefined;
}

/** One class in the legend; label 0 is a remark without a swatch. */
interface LegendEntry {
  readonly label: number;
  readonly text: string;
  readonly left: number;
  readonly top: number;
}

interface TextPixel {
  readonly at: number;
  readonly gray: number;
  readonly opacity: number;
}

const MARGIN = 14;
const GAP = 12;
const HEADER = 40;
const TITLE = 26;
const LEGEND_ROW = 24;
const BACKGROUND = 18;
const SWATCH = 12;
const MAX_ENTRIES = 12;
/** A short label, such as the id of a test case, must not make the header run into itself. */
const MIN_WIDTH = 360;

/**
 * Paints the slices of one case: ground truth beside prediction over the windowed image, at a readable size and with the right proportions, with case id,
 * slice number, sides of the body and a legend.
 */
export class OverlayPainter {
  readonly plane: SlicePlane;
  readonly width: number;
  readonly height: number;
  readonly alpha: number;
  private readonly colorOf: (label: number) => Rgb;
  private readonly panels: readonly Panel[];
  private readonly panelWidth: number;
  private readonly panelHeight: number;
  private readonly fixedText: readonly TextPixel[];
  private readonly swatches: readonly LegendEntry[];
  private readonly window: IntensityWindow;
  private readonly planeName: PlaneName;
  private readonly hasOutline: boolean;

  constructor(
    private readonly canvas: CanvasModule,
    private readonly content: OverlayCase,
    options: OverlayOptions,
  ) {
    const { classes, window, alpha = 0.3, outline = true, plane = "axial", panelSize = 320, scores = {}, caption = "" } = options;
    const { errors = false, colors = {} } = options;
    const { image, channels = 1, label, prediction, shape, spacing, id } = content;
    const strange = Object.keys(colors).find((name) => !classes.includes(name));
    requireOption(strange === undefined, "overlay", "colors", `of the classes ${classes.join(", ")}`, strange);
    this.colorOf = (own) => errorColor(own) ?? colors[classes[own] ?? ""] ?? classColor(own);
    requireOption(alpha >= 0 && alpha <= 1, "overlay", "alpha", "0..1", alpha);
    requireOption(panelSize >= 32 && panelSize <= 4096, "overlay", "panelSize", "32..4096 pixels", panelSize);
    requireOption(window === undefined || window.max > window.min, "overlay", "window", "a range with max > min", window);
    const voxels = elementCount(shape);
    for (const [name, array, length] of [
      ["image", image, voxels * channels],
      ["label", label, voxels],
      ["prediction", prediction, voxels],
    ] as const) {
      if (array && array.length !== length) {
        throw new VoxError(`the ${name} must have ${length} elements for shape ${formatShape(shape)}, got ${array.length}`, {
          code: "ERR_SHAPE",
          where: "overlay",
          sampleId: id,
        });
      }
    }
    this.alpha = alpha;
    this.hasOutline = outline;
    this.planeName = plane;
    this.plane = slicePlane(plane, shape, spacing);
    this.window = window ?? intensityWindow(image);

    const [mmHigh, mmWide] = [this.plane.rows * this.plane.pixel[0], this.plane.columns * this.plane.pixel[1]];
    const scale = panelSize / Math.max(mmHigh, mmWide);
    this.panelWidth = Math.max(1, Math.round(mmWide * scale));
    this.panelHeight = Math.max(1, Math.round(mmHigh * scale));

    const shown: [string, Panel["labelAt"]][] = [];
    if (label) shown.push(["Ground truth", (voxel) => label[voxel]!]);
    if (prediction) shown.push(["Prediction", (voxel) => prediction[voxel]!]);
    const hasErrors = errors && label !== undefined && prediction !== undefined;
    if (hasErrors) shown.push(["Errors", (voxel) => errorLabel(label[voxel]!, prediction[voxel]!)]);
    if (shown.length === 0) shown.push(["Image", undefined]);
    const contentWidth = shown.length * this.panelWidth + (shown.length - 1) * GAP;
    this.width = Math.max(MIN_WIDTH, contentWidth + 2 * MARGIN);
    const left = Math.round((this.width - contentWidth) / 2);
    const top = HEADER + TITLE;
    this.panels = shown.map(([title, labelAt], i) => ({ title, labelAt, left: left + i * (this.panelWidth + GAP), top }));

    const legend = this.legend(classes, scores, hasErrors, top + this.panelHeight + 8);
    this.swatches = legend.entries.filter(({ label }) => label > 0);
    this.height = legend.bottom + 6;
    this.fixedText = this.textPixels(this.width, this.height, (ctx) => {
      ctx.font = `600 15px ${FIGURE_FONT}`;
      ctx.fillStyle = "#f4f4f4";
      ctx.textBaseline = "middle";
      ctx.fillText(shorten(ctx, caption === "" ? id : `${id} · ${caption}`, this.width - 2 * MARGIN - 150), MARGIN, HEADER / 2 + 3);
      ctx.textAlign = "center";
      ctx.font = `400 14px ${FIGURE_FONT}`;
      ctx.fillStyle = "#d8d8d8";
      for (const panel of this.panels) ctx.fillText(panel.title, panel.left + this.panelWidth / 2, HEADER + TITLE / 2);
      for (const panel of this.panels) this.drawEdges(ctx, panel);
      ctx.textAlign = "left";
      ctx.fillStyle = "#d8d8d8";
      ctx.font = `400 13px ${FIGURE_FONT}`;
      for (const { label, text, left: at, top: y } of legend.entries) ctx.fillText(text, at + (label > 0 ? SWATCH + 6 : 0), y + SWATCH / 2 + 1);
    });
  }

  /** One slice, counted from the inferior, posterior or left end. */
  paint(slice: number): OverlayFrame {
    const { width, height, panelWidth, panelHeight, plane } = this;
    requireOption(Number.isInteger(slice) && slice >= 0 && slice < plane.slices, "overlay", "slice", `0..${plane.slices - 1}`, slice);
    const gray = new Uint8Array(width * height).fill(BACKGROUND);
    const tint = new Uint32Array(width * height);
    const picture = this.resample(slice);
    for (const panel of this.panels) {
      for (let y = 0; y < panelHeight; y++) gray.set(picture.subarray(y * panelWidth, (y + 1) * panelWidth), (panel.top + y) * width + panel.left);
      if (panel.labelAt) this.tintPanel(tint, panel, panel.labelAt, slice);
    }
    for (const { label, left, top } of this.swatches) {
      for (let y = top; y < top + SWATCH; y++) tint.fill(2 * label, y * width + left, y * width + left + SWATCH);
    }
    const number = this.textPixels(width, HEADER, (ctx) => {
      ctx.font = `400 14px ${FIGURE_FONT}`;
      ctx.fillStyle = "#d8d8d8";
      ctx.textBaseline = "middle";
      ctx.textAlign = "right";
      ctx.fillText(`${this.planeName} slice ${slice + 1}/${plane.slices}`, width - MARGIN, HEADER / 2 + 3);
    });
    for (const text of [this.fixedText, number]) {
      for (const { at, gray: ink, opacity } of text) {
        gray[at] = Math.round(gray[at]! * (1 - opacity) + ink * opacity);
        if (opacity > 0.5) tint[at] = 0;
      }
    }
    return { width, height, gray, tint, alpha: this.alpha, colorOf: this.colorOf };
  }

  /** The windowed slice at panel size, linear between voxel centers. */
  private resample(slice: number): Uint8Array {
    const { plane, panelWidth, panelHeight } = this;
    const { image, channels = 1 } = this.content;
    const { min, max } = this.window;
    const rows = taps(panelHeight, plane.rows);
    const columns = taps(panelWidth, plane.columns);
    const source = new Float32Array(plane.rows * plane.columns);
    for (let row = 0, i = 0; row < plane.rows; row++) {
      for (let column = 0; column < plane.columns; column++, i++) source[i] = image[plane.voxel(slice, row, column) * channels]!;
    }
    const out = new Uint8Array(panelWidth * panelHeight);
    const factor = 255 / (max - min);
    for (let y = 0, i = 0; y < panelHeight; y++) {
      const upper = rows.low[y]! * plane.columns;
      const lower = rows.high[y]! * plane.columns;
      const fy = rows.fraction[y]!;
      for (let x = 0; x < panelWidth; x++, i++) {
        const a = columns.low[x]!;
        const b = columns.high[x]!;
        const fx = columns.fraction[x]!;
        const above = source[upper + a]! * (1 - fx) + source[upper + b]! * fx;
        const below = source[lower + a]! * (1 - fx) + source[lower + b]! * fx;
        const value = (above * (1 - fy) + below * fy - min) * factor;
        out[i] = value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5;
      }
    }
    return out;
  }

  private tintPanel(tint: Uint32Array, { left, top }: Panel, labelAt: (voxel: number) => number, slice: number): void {
    const { plane, panelWidth, panelHeight, width } = this;
    const labels = new Uint32Array(panelWidth * panelHeight);
    for (let y = 0, i = 0; y < panelHeight; y++) {
      const row = Math.min(plane.rows - 1, Math.floor(((y + 0.5) * plane.rows) / panelHeight));
      for (let x = 0; x < panelWidth; x++, i++) {
        labels[i] = labelAt(plane.voxel(slice, row, Math.min(plane.columns - 1, Math.floor(((x + 0.5) * plane.columns) / panelWidth))));
      }
    }
    for (let y = 0, i = 0; y < panelHeight; y++) {
      for (let x = 0; x < panelWidth; x++, i++) {
        const label = labels[i]!;
        if (label === 0) continue;
        const isEdge =
          this.hasOutline &&
          (x === 0 ||
            y === 0 ||
            x === panelWidth - 1 ||
            y === panelHeight - 1 ||
            labels[i - 1] !== label ||
            labels[i + 1] !== label ||
            labels[i - panelWidth] !== label ||
            labels[i + panelWidth] !== label);
        tint[(top + y) * width + left + x] = isEdge ? 2 * label : 2 * label - 1;
      }
    }
  }

  /** Positions of the legend's entries, in as many rows as they need. Of many classes the largest of this case are named. */
  private legend(
    classes: readonly string[],
    scores: Readonly<Record<number, string>>,
    hasErrors: boolean,
    top: number,
  ): { readonly entries: readonly LegendEntry[]; readonly bottom: number } {
    const voxels = new Map<number, number>();
    for (const map of [this.content.label, this.content.prediction]) {
      if (map) for (let i = 0; i < map.length; i++) voxels.set(map[i]!, (voxels.get(map[i]!) ?? 0) + 1);
    }
    if (voxels.size === 0) return { entries: [], bottom: top };
    // All classes of a small set, so that an absent one is seen to be absent.
    const all = [...new Set([...(classes.length <= MAX_ENTRIES ? classes.keys() : []), ...voxels.keys()])].filter((label) => label > 0);
    const named = all.sort((a, b) => (voxels.get(b) ?? 0) - (voxels.get(a) ?? 0)).slice(0, MAX_ENTRIES);
    const ctx = this.canvas.createCanvas(1, 1).getContext("2d");
    ctx.font = `400 13px ${FIGURE_FONT}`;
    const texts: { label: number; text: string }[] = named
      .sort((a, b) => a - b)
      .map((label) => ({ label, text: `${classes[label] ?? `label ${label}`}${scores[label] === undefined ? "" : `  ${scores[label]}`}` }));
    if (all.length > named.length) texts.push({ label: 0, text: `and ${all.length - named.length} more` });
    if (hasErrors) texts.push({ label: 0, text: "errors:" }, ...Object.values(ERROR_KINDS).map(({ label, name }) => ({ label, text: name })));
    const entries: LegendEntry[] = [];
    let left = MARGIN;
    let y = top;
    for (const { label, text } of texts) {
      const wide = (label > 0 ? SWATCH + 6 : 0) + ctx.measureText(text).width + 18;
      if (left > MARGIN && left + wide > this.width - MARGIN) {
        left = MARGIN;
        y += LEGEND_ROW;
      }
      entries.push({ label, text, left: Math.round(left), top: y + (LEGEND_ROW - SWATCH) / 2 });
      left += wide;
    }
    return { entries, bottom: entries.length === 0 ? top : y + LEGEND_ROW };
  }

  private drawEdges(ctx: Context, { left, top }: Panel): void {
    const { panelWidth: w, panelHeight: h } = this;
    const [atLeft, atRight, atTop, atBottom] = this.plane.edges;
    ctx.font = `600 12px ${FIGURE_FONT}`;
    for (const [letter, x, y] of [
      [atLeft, left + 10, top + h / 2],
      [atRight, left + w - 10, top + h / 2],
      [atTop, left + w / 2, top + 11],
      [atBottom, left + w / 2, top + h - 11],
    ] as const) {
      ctx.strokeStyle = "#000000";
      ctx.lineWidth = 3;
      ctx.strokeText(letter, x, y);
      ctx.fillStyle = "#ffe9a8";
      ctx.fillText(letter, x, y);
    }
  }

  /** Draws on an empty canvas and keeps the pixels with ink. */
  private textPixels(width: number, height: number, draw: (ctx: Context) => void): TextPixel[] {
    const ctx = this.canvas.createCanvas(width, height).getContext("2d");
    draw(ctx);
    const { data } = ctx.getImageData(0, 0, width, height);
    const pixels: TextPixel[] = [];
    for (let at = 0; at < width * height; at++) {
      const opacity = data[at * 4 + 3]! / 255;
      // Text is gray in the picture whatever its color here: weights of Rec. 709.
      if (opacity > 0) pixels.push({ at, opacity, gray: 0.2126 * data[at * 4]! + 0.7152 * data[at * 4 + 1]! + 0.0722 * data[at * 4 + 2]! });
    }
    return pixels;
  }
}

type Context = ReturnType<ReturnType<CanvasModule["createCanvas"]>["getContext"]>;

/** Neighbors and weights of `count` samples over `extent` voxels, at voxel centers, held at the border. */
function taps(count: number, extent: number): { readonly low: Int32Array; readonly high: Int32Array; readonly fraction: Float32Array } {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const fraction = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const at = Math.min(extent - 1, Math.max(0, ((i + 0.5) * extent) / count - 0.5));
    low[i] = Math.floor(at);
    high[i] = Math.min(extent - 1, low[i]! + 1);
    fraction[i] = at - low[i]!;
  }
  return { low, high, fraction };
}

/** The text, shortened in its middle until it fits. */
function shorten(ctx: Context, text: string, width: number): string {
  let kept = text;
  for (let length = text.length - 1; ctx.measureText(kept).width > width && length > 4; length--) {
    const head = Math.ceil(length / 2);
    kept = `${text.slice(0, head)}…${text.slice(text.length - (length - head))}`;
  }
  return kept;
}
