import uPlot from "uplot";
import { element, setText } from "../elements/element.js";
import { color, onThemeChange } from "../elements/theme.js";
import { formatAxis, wholeNumber } from "./axis-text.js";
import { savePicture, saveTable } from "./save-curves.js";
import { LEAST_WIDTH, touchZoom } from "./touch-zoom.js";

/** One curve: `y` over ascending `x`, drawn in a color of the style sheet, such as "series-1". */
export interface Curve {
  readonly label: string;
  readonly color: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** "faint" is a thin line behind the others without a place in the legend: raw values under their smoothed curve. */
  readonly look?: "line" | "dashed" | "faint";
  /** Lowest and highest value of every point that stands for many, drawn as a pale band. */
  readonly band?: { readonly min: readonly number[]; readonly max: readonly number[] };
}

export interface ChartOptions {
  readonly title: string;
  /** What the horizontal axis counts: "step". */
  readonly axis: string;
  readonly format: (value: number | null | undefined) => string;
  /** How values stand at the axis; short numbers unless told. */
  readonly axisFormat?: (value: number) => string;
  /** How places on the horizontal axis are written; whole numbers unless told. */
  readonly xText?: (x: number) => string;
  /** Steps between the marks of the vertical axis; round decimal numbers unless told. */
  readonly increments?: readonly number[];
  /** Keeps zero in view when the values come near it. */
  readonly fromZero?: boolean;
  readonly height?: number;
  /** Curves that are hidden until they are asked for. */
  readonly hides?: (label: string) => boolean;
  /** Charts with the same key share cursor and zoom. */
  readonly sync?: string;
  /** Called with the chosen part of the axis, undefined for all of it. */
  readonly onZoom?: (range: ZoomRange | undefined) => void;
}

export interface ZoomRange {
  readonly from: number;
  readonly to: number;
}

const KEYS = ["ArrowLeft", "ArrowRight", "Home", "End", "Escape", "+", "=", "-"];

/** A chart with title, legend that shows values, zoom by dragging or by keys, and export. The same object is updated while the run goes on. */
export class Chart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #heading = element("h2", { class: "card-title" });
  readonly #plotArea = element("div", { class: "chart-plot", tabindex: 0, role: "application", "aria-roledescription": "chart" });
  readonly #legend = element("div", { class: "legend" });
  readonly #empty = element("p", { class: "chart-empty" }, "Nothing recorded yet.");
  readonly #hidden = new Set<string>();
  readonly #known = new Set<string>();
  readonly #stopTheme: () => void;
  readonly #observer: ResizeObserver;
  #title: string;
  #plot: uPlot | undefined;
  #curves: readonly Curve[] = [];
  #isLog = false;
  #range: ZoomRange | undefined;
  /** All of the axis, also while a part is drawn in detail. */
  #whole: ZoomRange = { from: 0, to: 0 };
  #isTouched = () => false;
  #shape = "";
  #values: { readonly curve: Curve; readonly output: Element }[] = [];
  #index: number | null = null;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#title = options.title;
    setText(this.#heading, options.title);
    const menu = element(
      "div",
      { class: "chart-menu" },
      element(
        "button",
        {
          class: "quiet",
          type: "button",
          title: `Save “${options.title}” as a table`,
          onclick: () => saveTable(this.#title, options.axis, this.#drawn),
        },
        "CSV",
      ),
      element("button", { class: "quiet", type: "button", title: `Save “${options.title}” as a picture`, onclick: () => this.#save() }, "PNG"),
    );
    this.element = element(
      "section",
      { class: "card chart", "aria-label": options.title },
      element("div", { class: "card-head" }, this.#heading, menu),
      this.#legend,
      this.#plotArea,
      this.#empty,
    );
    this.#plotArea.hidden = true;
    this.#plotArea.addEventListener("keydown", (event) => this.#onKey(event));
    this.#plotArea.setAttribute("aria-label", this.#describe([]));
    this.#plotArea.style.minHeight = `${options.height ?? 240}px`;
    if (options.onZoom) this.#isTouched = this.#listenToFingers();
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(this.#plotArea);
    this.#stopTheme = onThemeChange(() => {
      this.#shape = "";
      this.#draw();
    });
  }

  /** Another heading, for a chart whose value can be chosen. */
  rename(title: string): void {
    this.#title = title;
    setText(this.#heading, title);
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#stopTheme();
    this.#plot?.destroy();
  }

  update(curves: readonly Curve[], { log, range }: { readonly log: boolean; readonly range: ZoomRange | undefined }): void {
    for (const { label } of curves) {
      if (this.#known.has(label)) continue;
      this.#known.add(label);
      if (this.#options.hides?.(label)) this.#hidden.add(label);
    }
    this.#curves = curves;
    this.#isLog = log;
    this.#range = range;
    this.#draw();
  }

  get #drawn(): Curve[] {
    return this.#curves.filter((curve) => curve.x.length > 0);
  }

  #draw(): void {
    const curves = this.#drawn;
    const count = curves.reduce((most, curve) => Math.max(most, curve.x.length), 0);
    this.element.dataset.points = String(count);
    this.#empty.hidden = count > 0;
    this.#plotArea.hidden = count === 0;
    this.#plotArea.setAttribute("aria-label", this.#describe(curves));
    const shape = JSON.stringify([this.#isLog, curves.map(({ label, color: name, look, band }) => [label, name, look, band !== undefined])]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#build(curves);
    } else this.#plot?.setData(this.#data(curves), false);
    const x = this.#plot?.data[0] ?? [];
    const own = { from: x[0] ?? 0, to: x[x.length - 1] ?? 0 };
    const { from, to } = this.#whole;
    this.#whole = this.#range ? { from: Math.min(from, own.from), to: Math.max(to, own.to) } : own;
    if (!this.#isTouched()) this.#setRange();
    this.#showValues();
  }

  #setRange(): void {
    const plot = this.#plot;
    if (!plot) return;
    const x = plot.data[0]!;
    let min = this.#range?.from ?? x[0];
    let max = this.#range?.to ?? x[x.length - 1];
    if (min === undefined || max === undefined) return;
    if (min === max) [min, max] = [min - 1, max + 1];
    plot.setScale("x", { min, max });
    this.#plotArea.dataset.shown = `${min} ${max}`;
  }

  #data(curves: readonly Curve[]): uPlot.AlignedData {
    const positive = (values: readonly (number | null)[]) =>
      values.map((value) => (value === null || !Number.isFinite(value) || (this.#isLog && value <= 0) ? null : value));
    const tables = curves.map((curve): uPlot.AlignedData => {
      const y = positive(curve.y);
      return curve.band ? [[...curve.x], y, positive(curve.band.min), positive(curve.band.max)] : [[...curve.x], y];
    });
    return tables.length === 0 ? [[]] : uPlot.join(tables);
  }

  #build(curves: readonly Curve[]): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#buildLegend(curves);
    if (curves.length === 0) return;
    const { axis, axisFormat, fromZero, increments, sync, xText = wholeNumber } = this.#options;
    const series: uPlot.Series[] = [{ label: axis }];
    const bands: uPlot.Band[] = [];
    for (const curve of curves) {
      const stroke = color(curve.color);
      const isFaint = curve.look === "faint";
      series.push({
        label: curve.label,
        stroke: isFaint ? `${stroke}55` : stroke,
        width: isFaint ? 1 : 1.8,
        spanGaps: true,
        show: !this.#hidden.has(curve.label),
        ...(curve.look === "dashed" ? { dash: [5, 3] } : {}),
        points: { show: curve.x.length < 2 },
      });
      if (!curve.band) continue;
      const edge: uPlot.Series = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false }, show: !this.#hidden.has(curve.label) };
      bands.push({ series: [series.length + 1, series.length], fill: `${stroke}26` });
      series.push(edge, edge);
    }
    const grid = { stroke: color("grid"), width: 1 };
    const text = { stroke: color("muted"), font: `11px ${getComputedStyle(document.body).fontFamily}`, ticks: { show: false } };
    this.#plot = new uPlot(
      {
        width: Math.max(120, this.#plotArea.clientWidth),
        height: Math.max(80, this.#plotArea.clientHeight),
        series,
        bands,
        scales: {
          x: { time: false },
          y: { distr: this.#isLog ? 3 : 1, ...(this.#isLog ? {} : { range: (_plot, min, max) => around(min, max, fromZero === true) }) },
        },
        axes: [
          {
            ...text,
            grid: { show: false },
            label: axis,
            labelFont: text.font,
            labelSize: 18,
            labelGap: 2,
            size: 28,
            space: 56,
            values: (_plot, splits) => splits.map((value) => (value === null ? "" : xText(value))),
          },
          {
            ...text,
            grid,
            size: 58,
            space: 40,
            ...(increments ? { incrs: [...increments] } : {}),
            values: (_plot, splits) => splits.map((value) => (value === null ? "" : (axisFormat ?? formatAxis)(value))),
          },
        ],
        legend: { show: false },
        cursor: {
          y: false,
          points: { size: 7 },
          drag: { x: true, y: false, setScale: false },
          bind: {
            dblclick: () => () => {
              this.#options.onZoom?.(undefined);
              return null;
            },
          },
          ...(sync === undefined ? {} : { sync: { key: sync, setSeries: false } }),
        },
        padding: [8, 12, 0, 0],
        hooks: {
          setCursor: [
            (plot) => {
              this.#index = plot.cursor.idx ?? null;
              this.#showValues();
            },
          ],
          setSelect: [
            (plot) => {
              const { left, width } = plot.select;
              if (width < 4) return;
              this.#options.onZoom?.({ from: Math.max(0, Math.floor(plot.posToVal(left, "x"))), to: Math.ceil(plot.posToVal(left + width, "x")) });
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      this.#data(curves),
      this.#plotArea,
    );
    // A neighbor that is drawn after this one may change the height of the row before anybody has observed the first.
    requestAnimationFrame(() => this.#resize());
  }

  #buildLegend(curves: readonly Curve[]): void {
    this.#values = [];
    const entries = curves
      .filter((curve) => curve.look !== "faint")
      .map((curve) => {
        const output = element("span", { class: "legend-value" });
        const mark = element("span", { class: `legend-mark ${curve.look ?? "line"}` });
        mark.style.background = color(curve.color);
        this.#values.push({ curve, output });
        return element(
          "button",
          {
            class: "legend-entry",
            type: "button",
            "aria-pressed": String(!this.#hidden.has(curve.label)),
            title: `Show or hide ${curve.label}`,
            onclick: () => {
              if (!this.#hidden.delete(curve.label)) this.#hidden.add(curve.label);
              this.#shape = "";
              this.#draw();
            },
          },
          mark,
          element("span", { class: "legend-name" }, curve.label),
          output,
        );
      });
    // The entry that was pressed is made anew: keep the keyboard's place.
    const focused = [...this.#legend.children].indexOf(document.activeElement as Element);
    this.#legend.replaceChildren(...entries);
    entries[focused]?.focus();
  }

  /** The values under the cursor, or the last ones. */
  #showValues(): void {
    const plot = this.#plot;
    const at = this.#index === null || !plot ? undefined : plot.data[0]![this.#index];
    for (const { curve, output } of this.#values) {
      const current = this.#curves.find(({ label, look }) => label === curve.label && look === curve.look);
      setText(output, this.#options.format(current ? valueAt(current, at) : undefined));
    }
    this.element.dataset.at = at === undefined ? "" : String(at);
  }

  #describe(curves: readonly Curve[]): string {
    const { format, axis, xText = String } = this.#options;
    const parts = curves
      .filter((curve) => curve.look !== "faint")
      .map((curve) => `${curve.label} ${format(curve.y[curve.y.length - 1])} at ${axis} ${xText(curve.x[curve.x.length - 1]!)}`);
    return `Chart ${this.#title}: ${parts.join(", ") || "nothing recorded yet"}. Arrow keys read single points${
      this.#options.onZoom ? ", plus and minus zoom, Shift with an arrow key moves the part that is shown, Escape shows all" : ""
    }.`;
  }

  #onKey(event: KeyboardEvent): void {
    const plot = this.#plot;
    if (!plot || event.ctrlKey || event.metaKey || !KEYS.includes(event.key)) return;
    event.preventDefault();
    if (["+", "=", "-"].includes(event.key)) {
      this.#zoomBy(event.key === "-" ? 2 : 0.5);
      return;
    }
    if (event.key === "Escape") {
      plot.setCursor({ left: -10, top: -10 });
      this.#options.onZoom?.(undefined);
      return;
    }
    if (event.shiftKey && event.key.startsWith("Arrow")) {
      this.#moveBy(event.key === "ArrowLeft" ? -0.25 : 0.25);
      return;
    }
    const last = plot.data[0]!.length - 1;
    const index = this.#index ?? last;
    const next = event.key === "Home" ? 0 : event.key === "End" ? last : Math.min(last, Math.max(0, index + (event.key === "ArrowLeft" ? -1 : 1)));
    plot.setCursor({ left: plot.valToPos(plot.data[0]![next]!, "x"), top: 10 });
  }

  #listenToFingers(): () => boolean {
    return touchZoom(this.#plotArea, {
      box: () => this.#plot?.over.getBoundingClientRect(),
      shown: () => this.#range ?? this.#whole,
      whole: () => this.#whole,
      read: (left) => this.#plot?.setCursor({ left, top: 10 }),
      preview: ({ from, to }) => this.#plot?.setScale("x", { min: from, max: to }),
      commit: (range) => this.#options.onZoom?.(range),
    });
  }

  /** Shows what lies before or after the part that is shown, as far as there is something. */
  #moveBy(share: number): void {
    if (!this.#range) return;
    const width = this.#range.to - this.#range.from;
    const from = Math.max(this.#whole.from, Math.min(this.#whole.to - width, Math.round(this.#range.from + share * width)));
    this.#options.onZoom?.({ from, to: from + width });
  }

  /** Shows half or twice as much around the point that is read, or around the middle. */
  #zoomBy(factor: number): void {
    const x = this.#plot!.data[0]!;
    const { from: first, to: last } = this.#whole;
    const { from, to } = this.#range ?? this.#whole;
    const width = (to - from) * factor;
    if (width < LEAST_WIDTH) return;
    const at = this.#index === null ? undefined : x[this.#index];
    const middle = at !== undefined && at >= from && at <= to ? at : (from + to) / 2;
    const next = { from: Math.max(first, Math.floor(middle - width / 2)), to: Math.min(last, Math.ceil(middle + width / 2)) };
    this.#options.onZoom?.(next.from <= first && next.to >= last ? undefined : next);
  }

  #save(): void {
    const shown = this.#drawn.filter(({ label }) => !this.#hidden.has(label));
    if (this.#plot) savePicture(this.#title, this.#plot.ctx.canvas, this.#plot.width, shown);
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#plotArea;
    if (this.#plot && width > 0 && (width !== this.#plot.width || height !== this.#plot.height)) this.#plot.setSize({ width, height });
  }
}

function valueAt({ x, y }: Curve, at: number | undefined): number | null | undefined {
  if (at === undefined) return y[y.length - 1];
  // The last point at or before the cursor.
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (x[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return x[low]! <= at ? y[low] : undefined;
}

function around(min: number | null, max: number | null, fromZero: boolean): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  const room = (max - min || Math.abs(max) || 1) * 0.08;
  const low = min - room;
  return [fromZero || (min >= 0 && low < 0) ? 0 : low, max + room];
}
