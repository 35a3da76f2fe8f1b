import type { VolumeKind } from "../../cases/find-case-volume.js";
import type { Table } from "../../files/parse-tsv.js";
import type { RunCase } from "../../routes/list-cases.js";
import type { RunFile } from "../../routes/list-files.js";
import { getJson, runPath } from "../data/api-client.js";
import { type CaseScores, caseScores } from "../data/case-scores.js";
import type { LiveRun } from "../data/live-run.js";
import { card } from "../elements/card.js";
import { classLegend } from "../elements/class-legend.js";
import { element, setText } from "../elements/element.js";
import { formatBytes, formatCount, formatScore } from "../elements/format.js";
import { runAddress } from "../elements/run-address.js";
import { classScores } from "../panels/class-scores.js";
import { VOLUME_PLANES, VOLUME_WORDS, type VolumeFile, VolumeViewer } from "../panels/volume-viewer.js";
import type { View } from "../view.js";

/** More than this is loaded only on request: decompressed and on the graphics card it is several times as much. */
const MOST_BYTES = 96 << 20;
const WINDOWS: Readonly<Record<string, readonly [number, number] | undefined>> = {
  "Soft tissue": [-160, 240],
  Bone: [-450, 1050],
  Lung: [-1350, 150],
  "As in the file": undefined,
};
const KINDS = ["image", "label", "prediction"] as const;

/** A case of the run, or the validation patch after one epoch. */
interface Subject {
  readonly id: string;
  readonly title: string;
  readonly role: RunCase["role"] | "patch";
  readonly volumes: Readonly<Partial<Record<VolumeKind, VolumeFile>>>;
}

const GROUPS: Readonly<Record<Subject["role"], string>> = {
  patch: "While training",
  predicted: "Predicted",
  validation: "Validation",
  training: "Training",
};
const PATCH = "\npatch";
const NO_DATA =
  "Images and ground truth are not shown: this run has not noted where its files lie, or they have been moved, or the note is another user's. Start the dashboard with --data and the folder of the cases.";
const REFRESH_MS = 3000;

/**
 * A case of the run in three planes and 3D: image, ground truth and prediction over each other, worst cases first; and the validation patch with what the
 * network said to it after each epoch.
 */
export function volumesView(run: LiveRun): View {
  const list = element("div", { class: "case-list", role: "group", "aria-label": "Cases, worst first" });
  const search = element("input", { type: "search", placeholder: "Filter", "aria-label": "Filter cases by name", oninput: () => drawList() });
  const epoch = element("input", { type: "range", min: 0, max: 0, step: 1, onchange: () => chooseEpoch(), oninput: () => nameEpoch() });
  const epochName = element("output", { class: "number" });
  const epochBox = element("label", { class: "slider" }, "Epoch", epoch, epochName);
  const save = element("span", { class: "chart-menu" });
  const scoreTable = element("div", { class: "volume-scores" });
  const canvas = element("canvas", { class: "volume-canvas", tabindex: 0 });
  const note = element("p", { class: "volume-note", role: "status" });
  const where = element("p", { class: "hint number", role: "status" });
  const stage = element("div", { class: "volume-stage" }, canvas, note);
  const layers = element("div", { class: "controls" });
  const about = element("p", { class: "hint" });
  const plane = element(
    "select",
    { "aria-label": "Planes", onchange: () => show() },
    VOLUME_PLANES.map((name) => element("option", {}, name)),
  );
  const gray = element(
    "select",
    { "aria-label": "Gray window", onchange: () => show() },
    Object.keys(WINDOWS).map((name) => element("option", {}, name)),
  );
  const legend = element("div", { class: "state-legend" });
  const empty = element(
    "p",
    { class: "empty" },
    "Nothing to look at yet. The validation patch after each epoch, the cases of the run and their predictions are shown here, in three planes and 3D.",
  );
  const hint = element("p", { class: "hint" });
  const content = element(
    "div",
    { class: "volumes" },
    card("Cases", {}, search, list, hint),
    element(
      "section",
      { class: "card volume-card", "aria-label": "Volume" },
      element(
        "div",
        { class: "controls" },
        element("label", { class: "select" }, "View", plane),
        element("label", { class: "select" }, "Gray", gray),
        epochBox,
        layers,
      ),
      about,
      stage,
      element("div", { class: "card-head" }, legend, where, save),
      scoreTable,
    ),
  );
  const opacity: Partial<Record<VolumeKind, number>> = { label: 0, prediction: 0.55 };
  const viewer = new VolumeViewer(canvas, (text) => setText(where, text));
  let shown: readonly VolumeKind[] = [];
  let cases: readonly Subject[] = [];
  /** The validation patch after each epoch of which a prediction is kept. */
  let patches: readonly (Subject & { readonly epoch: number })[] = [];
  let scores: CaseScores | undefined;
  let chosen: string | undefined;
  /** The case that the address names. */
  let wanted: string | undefined;
  let shownRole: Subject["role"] | undefined;
  let shownTitle = "";
  let seen = "";
  let turn = 0;
  let isOpening = false;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  function load(): void {
    Promise.all([
      getJson<{ cases: RunCase[]; hasData: boolean }>(runPath(run.id, "cases")),
      getJson<{ table: Table | null }>(runPath(run.id, "evaluation")),
      getJson<{ files: RunFile[] }>(runPath(run.id, "files")),
    ]).then(
      ([answer, { table }, { files }]) => {
        if (isClosed) return;
        scores = table ? caseScores(table) : undefined;
        cases = answer.cases
          .map(({ id, role, volumes }) => ({ id, title: id, role, volumes: addressed(volumes, (kind) => runPath(run.id, "cases", id, kind)) }))
          .sort((a, b) => (dice(a.id) ?? 2) - (dice(b.id) ?? 2));
        const isAtEnd = Number(epoch.value) >= Number(epoch.max);
        patches = patchesOf(files);
        epoch.max = String(Math.max(0, patches.length - 1));
        if (isAtEnd) epoch.value = epoch.max;
        nameEpoch();
        empty.hidden = cases.length + patches.length > 0;
        content.hidden = !empty.hidden;
        search.hidden = cases.length < 12;
        setText(hint, answer.hasData ? "" : NO_DATA);
        drawList();
        const newest = patches.at(-1);
        const first = cases.find(({ role }) => role === "predicted") ?? newest ?? cases[0];
        const linked = wanted === undefined ? undefined : cases.find(({ id }) => id === wanted);
        if (linked && linked.id !== chosen) choose(linked, false);
        else if (chosen === undefined && first) choose(first, false);
        // While the training goes on, the latest epoch is what one looks at.
        else if (chosen === PATCH && isAtEnd && !isOpening && newest && newest.title !== shownTitle) choose(newest, false);
      },
      (error: Error) => {
        empty.hidden = false;
        setText(empty, `The list of cases could not be read: ${error.message}`);
      },
    );
  }

  const dice = (id: string) => scores?.mean(id, "dice");

  /** The validation patch of each epoch whose files are still there. */
  function patchesOf(files: readonly RunFile[]): typeof patches {
    const sizes = new Map(files.filter(({ folder }) => folder === "previews").map(({ name, bytes }) => [name, bytes]));
    return run.record.previews.last.flatMap(({ id, epoch: at, volumes }) => {
      if (!volumes) return [];
      const found = KINDS.flatMap((kind) => {
        const name = volumes[kind].split("/").at(-1)!;
        const bytes = sizes.get(name);
        return bytes === undefined ? [] : [[kind, { url: runPath(run.id, "files", "previews", name), bytes, isGzip: name.endsWith(".gz") }] as const];
      });
      const isWhole = found.length === KINDS.length;
      return isWhole ? [{ id: PATCH, title: `${id}, epoch ${at}`, role: "patch" as const, epoch: at, volumes: Object.fromEntries(found) }] : [];
    });
  }

  function drawList(): void {
    const filter = search.value.trim().toLowerCase();
    const newest = patches.at(-1);
    const entries: Subject[] = [
      ...(newest ? [{ ...newest, title: "Validation patch" }] : []),
      ...cases.filter(({ title }) => title.toLowerCase().includes(filter)),
    ];
    // Redrawn when a case is chosen: keep the keyboard's place.
    const focused = list.contains(document.activeElement) ? document.activeElement?.getAttribute("data-case") : undefined;
    const rows: HTMLElement[] = [];
    for (const role of Object.keys(GROUPS) as Subject["role"][]) {
      const own = entries.filter((entry) => entry.role === role);
      if (own.length > 0)
        rows.push(
          element("p", { class: "case-group" }, role === "predicted" && scores ? "Predicted, worst first" : GROUPS[role]),
          ...own.map(caseEntry),
        );
    }
    list.replaceChildren(...rows);
    if (focused) [...list.querySelectorAll("button")].find((button) => button.getAttribute("data-case") === focused)?.focus();
  }

  function caseEntry(entry: Subject): HTMLElement {
    return element(
      "button",
      {
        type: "button",
        class: "case-entry",
        "data-case": entry.id,
        "aria-pressed": String(entry.id === chosen),
        onclick: () => pick(entry),
      },
      element("span", { class: "case-name" }, entry.title),
      element("span", { class: "number" }, dice(entry.id) === undefined ? "" : formatScore(dice(entry.id))),
    );
  }

  function nameEpoch(): void {
    const at = patches[Number(epoch.value)];
    setText(epochName, at ? formatCount(at.epoch) : "");
    epoch.setAttribute("aria-valuetext", at ? `epoch ${at.epoch}` : "none");
  }

  function chooseEpoch(): void {
    nameEpoch();
    const at = patches[Number(epoch.value)];
    if (at) choose(at, false);
  }

  /** What somebody presses is also the address: it can be kept and sent. */
  function pick(entry: Subject): void {
    wanted = entry.role === "patch" ? undefined : entry.id;
    history.replaceState(null, "", runAddress(run.id, "volumes", wanted));
    if (entry.role === "patch") chooseEpoch();
    else choose(entry, false);
  }

  function choose(subject: Subject, isForced: boolean): void {
    chosen = subject.id;
    setText(about, aboutText(subject));
    drawList();
    scoreTable.replaceChildren(...classScores(scores, subject.id));
    // Drawn by the server, which needs the image for it.
    const isDrawable = subject.role === "predicted" && subject.volumes.image !== undefined;
    save.replaceChildren(...(isDrawable ? ["png", "gif"].map((kind) => saveLink(subject.id, kind)) : []));
    epochBox.hidden = subject.role !== "patch" || patches.length < 2;
    const kinds = KINDS.filter((kind) => subject.volumes[kind]);
    const bytes = kinds.reduce((sum, kind) => sum + subject.volumes[kind]!.bytes, 0);
    if (bytes > MOST_BYTES && !isForced) {
      turn++;
      note.replaceChildren(
        `The files of ${subject.title} have ${formatBytes(bytes)}; unpacked they are several times as much. `,
        element("button", { type: "button", class: "button", onclick: () => choose(subject, true) }, "Load them"),
      );
      return;
    }
    void open(subject);
  }

  function saveLink(id: string, kind: string): HTMLElement {
    const title = kind === "gif" ? "Save a film through the slices, ground truth beside prediction" : "Save the most telling slice";
    const href = runPath(run.id, "cases", id, "overlay", kind);
    return element("a", { class: "quiet", href, download: `${id}.${kind}`, title }, kind.toUpperCase());
  }

  async function open({ id, title, role, volumes }: Subject): Promise<void> {
    const mine = ++turn;
    isOpening = true;
    stage.dataset.loaded = "";
    setText(note, `Loading ${title}…`);
    try {
      if (!(await viewer.load(volumes, run.record.start?.classes ?? [], () => mine === turn && !isClosed))) return;
      shown = KINDS.filter((kind) => volumes[kind]);
      // The patch is what the network got: no Hounsfield units any more.
      if (role === "patch") gray.value = "As in the file";
      else if (shownRole === "patch") gray.selectedIndex = 0;
      shownRole = role;
      shownTitle = title;
      drawLayers();
      show();
      setText(note, "");
      stage.dataset.loaded = role === "patch" ? title : id;
    } catch (error) {
      if (mine === turn && !isClosed) setText(note, `${title} cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      if (mine === turn) isOpening = false;
    }
  }

  function drawLayers(): void {
    legend.replaceChildren(...classLegend(run.record.start?.classes ?? []));
    layers.replaceChildren(
      ...shown
        .filter((kind) => kind !== "image")
        .map((kind) =>
          element(
            "label",
            { class: "slider" },
            VOLUME_WORDS[kind],
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

  function show(): void {
    if (shown.length === 0) return;
    viewer.show({ plane: plane.selectedIndex, gray: WINDOWS[gray.value], opacity });
    const layered = shown.map((kind) => VOLUME_WORDS[kind]).join(", ");
    canvas.setAttribute(
      "aria-label",
      `${shownTitle}, ${plane.value}: ${layered}. Arrow keys and Page Up and Down move the crosshair through the slices.`,
    );
  }

  function update(): void {
    const { previews, predictions, evaluation, end } = run.record;
    const now = [previews.count, predictions.count, evaluation?.t, end?.t, run.generation].join(" ");
    // Epochs of a second must not keep the viewer loading.
    if (now === seen || performance.now() - loadedAt < REFRESH_MS) return;
    loadedAt = performance.now();
    seen = now;
    load();
  }

  content.hidden = true;
  canvas.setAttribute("aria-label", "No volume is loaded");
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "volume viewer");
  update();
  return {
    element: element("div", { class: "view" }, empty, content),
    update,
    open: (subject) => {
      wanted = subject;
      const found = cases.find(({ id }) => id === subject);
      if (found && found.id !== chosen) choose(found, false);
    },
    destroy: () => {
      isClosed = true;
      viewer.destroy();
    },
  };
}

/** What is seen: the whole case or a part, and where the prediction comes from. */
function aboutText({ role, title, volumes }: Subject): string {
  const hasImage = volumes.image !== undefined;
  switch (role) {
    case "patch":
      return `${title}: the validation patch with the most foreground, on the network's grid, and what the network made of it after that epoch. Of earlier epochs only this patch is kept; whole cases are predicted when the training is done.`;
    case "predicted":
      return `The whole case on the grid of its file${hasImage ? "" : ", without its image"}, as the run's final prediction has it.`;
    case "validation":
      return "The whole case, which only validates. Its prediction is not kept while training: the validation patch shows how it went from epoch to epoch.";
    case "training":
      return "The whole case, which the network learns from; it is not predicted.";
    default:
      return role satisfies never;
  }
}

function addressed(volumes: RunCase["volumes"], url: (kind: VolumeKind) => string): Subject["volumes"] {
  return Object.fromEntries(KINDS.flatMap((kind) => (volumes[kind] ? [[kind, { ...volumes[kind], url: url(kind) }]] : [])));
}
