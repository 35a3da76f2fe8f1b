import { classColor } from "../../../evaluation/figures/class-color.js";
import { type PlaneName, type SlicePlane, slicePlane } from "../../../evaluation/figures/slice-plane.js";
import { tellingSlice } from "../../../evaluation/figures/telling-slice.js";
import type { Capture, CapturedSample } from "../data/read-capture.js";
import { classLegend } from "../elements/class-legend.js";
import { element, setText } from "../elements/element.js";
import { formatValue } from "../elements/format.js";

const PLANES: readonly PlaneName[] = ["axial", "coronal", "sagittal"];
/** Longer side of a picture on the page, in pixels. */
const SIDE = 380;

/** Slices of one captured patch: the image alone, and with its label map over it. */
export function patchViewer(): {
  readonly element: HTMLElement;
  show(capture: Capture, sample: CapturedSample, spacing: readonly [number, number, number]): void;
} {
  const plain = element("canvas", { class: "patch-canvas", role: "img", "aria-label": "No patch is shown" });
  const labeled = element("canvas", { class: "patch-canvas", role: "img", "aria-label": "No patch is shown" });
  const plane = element(
    "select",
    { "aria-label": "Plane of the slices", onchange: () => choosePlane() },
    PLANES.map((name) => element("option", {}, name)),
  );
  const channel = element("select", { "aria-label": "Channel", onchange: () => draw() });
  const slice = element("input", { type: "range", min: 0, max: 0, step: 1, oninput: () => draw() });
  const number = element("output", { class: "number" });
  const opacity = element("input", { type: "range", min: 0, max: 1, step: 0.05, value: 0.5, oninput: () => draw() });
  const under = element("p", { class: "hint number patch-value" });
  const legend = element("div", { class: "state-legend" });
  const labeledFigure = element("figure", { class: "patch-figure" }, labeled, element("figcaption", { class: "hint" }, "with its labels"));
  const channelBox = element("label", { class: "select" }, "Channel", channel);
  const root = element(
    "div",
    { class: "patch-viewer" },
    element(
      "div",
      { class: "controls" },
      element("label", { class: "select" }, "Plane", plane),
      channelBox,
      element("label", { class: "slider" }, "Slice", slice, number),
      element("label", { class: "slider" }, "Labels", opacity),
    ),
    element(
      "div",
      { class: "patch-figures" },
      element("figure", { class: "patch-figure" }, plain, element("figcaption", { class: "hint" }, "image as the network gets it")),
      labeledFigure,
    ),
    element("div", { class: "card-head" }, legend, under),
  );
  let capture: Capture | undefined;
  let sample: CapturedSample | undefined;
  let spacing: readonly [number, number, number] = [1, 1, 1];
  let view: SlicePlane | undefined;
  let range: readonly [number, number] = [0, 1];
  let rangeOf = "";

  for (const canvas of [plain, labeled]) {
    canvas.addEventListener("mousemove", (event) => tell(canvas, event));
    canvas.addEventListener("mouseleave", () => setText(under, ""));
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        slice.value = String(Number(slice.value) + Math.sign(event.deltaY));
        draw();
      },
      { passive: false },
    );
  }

  function choosePlane(): void {
    if (!capture || !sample) return;
    const [depth, height, width] = capture.shape;
    view = slicePlane(PLANES[plane.selectedIndex]!, [depth, height, width], spacing);
    slice.max = String(view.slices - 1);
    slice.value = String(sample.label ? tellingSlice(view, [sample.label]) : Math.floor(view.slices / 2));
    slice.disabled = view.slices === 1;
    draw();
  }

  function draw(): void {
    if (!capture || !sample || !view) return;
    const channels = capture.shape[3];
    const c = Math.max(0, channel.selectedIndex);
    if (rangeOf !== `${c}`) {
      rangeOf = `${c}`;
      range = percentiles(sample.image, channels, c);
    }
    const [low, high] = range;
    const at = Number(slice.value);
    const { rows, columns, pixel } = view;
    setText(number, `${at + 1}/${view.slices}`);
    const scale = SIDE / Math.max(rows * pixel[0], columns * pixel[1]);
    const alpha = Number(opacity.value);
    for (const canvas of [plain, labeled]) {
      canvas.width = columns;
      canvas.height = rows;
      canvas.style.width = `${columns * pixel[1] * scale}px`;
      canvas.style.aspectRatio = `${columns * pixel[1]} / ${rows * pixel[0]}`;
      const context = canvas.getContext("2d")!;
      const picture = context.createImageData(columns, rows);
      for (let row = 0, to = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, to += 4) {
          const voxel = view.voxel(at, row, column);
          const gray = Math.max(0, Math.min(1, (sample.image[voxel * channels + c]! - low) / (high - low || 1))) * 255;
          const value = canvas === labeled ? (sample.label?.[voxel] ?? 0) : 0;
          const tint = value > 0 ? classColor(value) : undefined;
          for (let k = 0; k < 3; k++) picture.data[to + k] = tint ? gray * (1 - alpha) + tint[k]! * alpha : gray;
          picture.data[to + 3] = 255;
        }
      }
      context.putImageData(picture, 0, 0);
      const words = canvas === labeled ? "with its label map" : "alone";
      canvas.setAttribute("aria-label", `${sample.id}, ${PLANES[plane.selectedIndex]} slice ${at + 1} of ${view.slices}, the image ${words}`);
    }
  }

  function tell(canvas: HTMLCanvasElement, event: MouseEvent): void {
    if (!capture || !sample || !view) return;
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * view.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * view.rows);
    if (column < 0 || row < 0 || column >= view.columns || row >= view.rows) return;
    const voxel = view.voxel(Number(slice.value), row, column);
    const [, height, width, channels] = capture.shape;
    const place = [Math.floor(voxel / (height * width)), Math.floor(voxel / width) % height, voxel % width];
    const label = sample.label?.[voxel];
    const name = label === undefined ? "" : `, ${capture.classes[label] ?? `label ${label}`}`;
    setText(under, `voxel (${place.join(", ")}): ${formatValue(sample.image[voxel * channels + Math.max(0, channel.selectedIndex)])}${name}`);
  }

  return {
    element: root,
    show(nextCapture, nextSample, nextSpacing) {
      [capture, sample, spacing] = [nextCapture, nextSample, nextSpacing];
      rangeOf = "";
      const channels = capture.shape[3];
      if (channel.options.length !== channels) {
        channel.replaceChildren(...Array.from({ length: channels }, (_, c) => element("option", {}, String(c + 1))));
      }
      channelBox.hidden = channels === 1;
      labeledFigure.hidden = sample.label === undefined;
      opacity.parentElement!.hidden = sample.label === undefined;
      legend.replaceChildren(...classLegend(capture.classes));
      choosePlane();
    },
  };
}

/** The values below which one and 99 of 100 voxels lie: a single bright voxel must not make all others black. */
function percentiles(image: Float32Array, channels: number, c: number): readonly [number, number] {
  const stride = Math.max(1, Math.floor(image.length / channels / 20_000));
  const picked: number[] = [];
  for (let i = c; i < image.length; i += channels * stride) if (Number.isFinite(image[i]!)) picked.push(image[i]!);
  picked.sort((a, b) => a - b);
  if (picked.length === 0) return [0, 1];
  return [picked[Math.floor(picked.length * 0.01)]!, picked[Math.min(picked.length - 1, Math.ceil(picked.length * 0.99))]!];
}
