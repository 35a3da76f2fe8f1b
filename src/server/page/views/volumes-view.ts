import type { Niivue } from "@niivue/niivue";
import { classColor } from "../../../evaluation/figures/class-color.js";
import type { VolumeKind } from "../../find-case-volume.js";
import type { Table } from "../../parse-tsv.js";
import type { RunCase } from "../../routes/list-cases.js";
import { getJson, runPath } from "../api-client.js";
import { type CaseScores, caseScores } from "../case-scores.js";
import { element, setText } from "../element.js";
import { formatBytes, formatScore } from "../format.js";
import type { LiveRun } from "../live-run.js";
import type { View } from "../view.js";

/** More than this is loaded only on request: decompressed and on the graphics card it is several times as much. */
const MOST_BYTES = 96 << 20;
const WINDOWS: Readonly<Record<string, readonly [number, number] | undefined>> = {
  "Soft tissue": [-160, 240],
  Bone: [-450, 1050],
  Lung: [-1350, 150],
  "As in the file": undefined,
};
const WORDS: Readonly<Record<VolumeKind, string>> = { image: "Image", label: "Ground truth", prediction: "Prediction" };

/** A predicted case in three planes and 3D: image, ground truth and prediction over each other. Worst cases stand first. */
export function volumesView(run: LiveRun): View {
  const list = element("div", { class: "case-list", role: "group", "aria-label": "Cases, worst first" });
  const canvas = element("canvas", { class: "volume-canvas", tabindex: 0 });
  const note = element("p", { class: "volume-note", role: "status" });
  const where = element("p", { class: "hint number" });
  const stage = element("div", { class: "volume-stage" }, canvas, note);
  const layers = element("div", { class: "controls" });
  const plane = element(
    "select",
    { "aria-label": "Planes", onchange: () => show() },
    ["All planes", "Axial", "Coronal", "Sagittal", "3D"].map((name) => element("option", {}, name)),
  );
  const gray = element(
    "select",
    { "aria-label": "Gray window", onchange: () => show() },
    Object.keys(WINDOWS).map((name) => element("option", {}, name)),
  );
  const legend = element("div", { class: "state-legend" });
  const empty = element("p", { class: "empty" }, "No predictions yet. Predicted cases can be looked at here, in three planes and 3D.");
  const hint = element("p", { class: "hint" });
  const content = element(
    "div",
    { class: "volumes" },
    element("section", { class: "card", "aria-label": "Cases" }, element("h3", {}, "Cases, worst first"), list, hint),
    element(
      "section",
      { class: "card volume-card", "aria-label": "Volume" },
      element(
        "div",
        { class: "controls" },
        element("label", { class: "select" }, "View", plane),
        element("label", { class: "select" }, "Gray", gray),
        layers,
      ),
      stage,
      element("div", { class: "card-head" }, legend, where),
    ),
  );
  const opacity: Partial<Record<VolumeKind, number>> = { label: 0, prediction: 0.55 };
  let viewer: Niivue | undefined;
  let shown: readonly VolumeKind[] = [];
  let cases: readonly RunCase[] = [];
  let scores: CaseScores | undefined;
  let chosen: string | undefined;
  let seen = "";
  let turn = 0;
  let isClosed = false;

  function load(): void {
    Promise.all([
      getJson<{ cases: RunCase[]; hasData: boolean }>(runPath(run.id, "cases")),
      getJson<{ table: Table | null }>(runPath(run.id, "evaluation")),
    ]).then(
      ([answer, { table }]) => {
        if (isClosed) return;
        scores = table ? caseScores(table) : undefined;
        cases = [...answer.cases].sort((a, b) => (dice(a.id) ?? 2) - (dice(b.id) ?? 2));
        empty.hidden = cases.length > 0;
        content.hidden = cases.length === 0;
        setText(hint, answer.hasData ? "" : "Start the dashboard with the folder of the cases to see images and ground truth, too.");
        drawList();
        if (!chosen && cases[0]) choose(cases[0].id, false);
      },
      (error: Error) => {
        empty.hidden = false;
        setText(empty, `The list of cases could not be read: ${error.message}`);
      },
    );
  }

  const dice = (id: string) => scores?.mean(id, "dice");

  function drawList(): void {
    list.replaceChildren(
      ...cases.map(({ id }) =>
        element(
          "button",
          { type: "button", class: "case", "aria-pressed": String(id === chosen), onclick: () => choose(id, false) },
          element("span", { class: "case-name" }, id),
          element("span", { class: "number" }, dice(id) === undefined ? "" : formatScore(dice(id))),
        ),
      ),
    );
  }

  function choose(id: string, isForced: boolean): void {
    chosen = id;
    drawList();
    const found = cases.find((entry) => entry.id === id);
    if (!found) return;
    const kinds = (["image", "label", "prediction"] as const).filter((kind) => found.volumes[kind]);
    const bytes = kinds.reduce((sum, kind) => sum + found.volumes[kind]!.bytes, 0);
    if (bytes > MOST_BYTES && !isForced) {
      note.replaceChildren(
        `The files of ${id} have ${formatBytes(bytes)}. `,
        element("button", { type: "button", class: "button", onclick: () => choose(id, true) }, "Load them"),
      );
      return;
    }
    void open(found, kinds);
  }

  async function open({ id, volumes }: RunCase, kinds: readonly VolumeKind[]): Promise<void> {
    const mine = ++turn;
    stage.dataset.loaded = "";
    setText(note, `Loading ${id}…`);
    try {
      // The viewer is larger than the rest of the page: it is fetched when somebody wants to see a volume.
      const { Niivue: Viewer } = await import("@niivue/niivue");
      if (!viewer) {
        viewer = new Viewer({
          backColor: [0, 0, 0, 1],
          crosshairColor: [0.49, 0.69, 1, 0.9],
          crosshairWidth: 0.25,
          crosshairWidthUnit: "percent",
          fontColor: [0.8, 0.85, 0.9, 1],
          show3Dcrosshair: true,
          isColorbar: false,
          // As in the overlays: the patient's right stands left.
          isRadiologicalConvention: true,
          dragAndDropEnabled: false,
          loadingText: "",
          logLevel: "silent",
          multiplanarShowRender: 1,
        });
        viewer.onLocationChange = (at) => setText(where, (at as { string?: string }).string ?? "");
        await viewer.attachToCanvas(canvas);
      }
      await viewer.loadVolumes(
        kinds.map((kind) => ({
          url: runPath(run.id, "cases", id, kind),
          name: `${kind}.nii${volumes[kind]!.isGzip ? ".gz" : ""}`,
          colormap: "gray",
          opacity: opacity[kind] ?? 1,
        })),
      );
      if (mine !== turn || isClosed) return;
      const classes = run.record.start?.classes ?? [];
      shown = kinds;
      kinds.forEach((kind, i) => {
        if (kind !== "image") viewer!.volumes[i]!.setColormapLabel(colormapOf(classes));
      });
      drawLayers();
      show();
      setText(note, "");
      stage.dataset.loaded = id;
    } catch (error) {
      if (mine === turn && !isClosed) setText(note, `${id} cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  function drawLayers(): void {
    legend.replaceChildren(
      ...(run.record.start?.classes ?? []).slice(1).map((name, i) => {
        const mark = element("span", { class: "class-mark" });
        mark.style.background = `rgb(${classColor(i + 1).join(" ")})`;
        return element("span", { class: "class-key" }, mark, name);
      }),
    );
    layers.replaceChildren(
      ...shown
        .filter((kind) => kind !== "image")
        .map((kind) =>
          element(
            "label",
            { class: "slider" },
            WORDS[kind],
            element("input", {
              type: "range",
              min: 0,
              max: 1,
              step: 0.05,
              value: opacity[kind] ?? 1,
              oninput: (event) => {
                opacity[kind] = Number((event.target as HTMLInputElement).value);
                show();
              },
            }),
          ),
        ),
    );
    gray.parentElement!.hidden = !shown.includes("image");
  }

  /** Applies planes, gray window and opacities to what is loaded. */
  function show(): void {
    if (!viewer || shown.length === 0) return;
    shown.forEach((kind, i) => {
      const volume = viewer!.volumes[i];
      if (!volume) return;
      if (kind === "image") {
        const [low, high] = WINDOWS[gray.value] ?? [volume.global_min ?? 0, volume.global_max ?? 1];
        volume.cal_min = low;
        volume.cal_max = high;
      } else volume.opacity = shown.length === 1 ? 1 : (opacity[kind] ?? 1);
    });
    viewer.updateGLVolume();
    const types = [viewer.sliceTypeMultiplanar, viewer.sliceTypeAxial, viewer.sliceTypeCoronal, viewer.sliceTypeSagittal, viewer.sliceTypeRender];
    viewer.setSliceType(types[plane.selectedIndex]!);
    canvas.setAttribute(
      "aria-label",
      `${chosen}, ${plane.value}: ${shown.map((kind) => WORDS[kind]).join(", ")}. Drag or use the mouse wheel to move through the slices.`,
    );
  }

  function update(): void {
    const { predictions, evaluation, end } = run.record;
    const now = [predictions.count, evaluation?.t, end?.t, run.generation].join(" ");
    if (now === seen) return;
    seen = now;
    load();
  }

  content.hidden = true;
  canvas.setAttribute("aria-label", "No volume is loaded");
  canvas.setAttribute("role", "img");
  update();
  return {
    element: element("div", { class: "view" }, empty, content),
    update,
    destroy: () => {
      isClosed = true;
      viewer?.cleanup();
      // Browsers allow a few WebGL contexts only; this one is not waited for.
      canvas.getContext("webgl2")?.getExtension("WEBGL_lose_context")?.loseContext();
    },
  };
}

/** Label values to class colors; the background is clear. */
function colormapOf(classes: readonly string[]) {
  const labels = Array.from({ length: Math.max(2, classes.length) }, (_, label) => classes[label] ?? String(label));
  const colors = labels.map((_, label) => classColor(label));
  return {
    R: colors.map(([red]) => red),
    G: colors.map(([, green]) => green),
    B: colors.map(([, , blue]) => blue),
    A: labels.map((_, label) => (label === 0 ? 0 : 255)),
    I: labels.map((_, label) => label),
    labels: [...labels],
  };
}
