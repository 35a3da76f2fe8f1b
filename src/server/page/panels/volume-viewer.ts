import type { Niivue } from "@niivue/niivue";
import { classColor } from "../../../evaluation/figures/class-color.js";
import type { VolumeKind } from "../../cases/find-case-volume.js";
import { formatValue } from "../elements/format.js";

/** A file that the viewer can load. */
export interface VolumeFile {
  readonly url: string;
  readonly bytes: number;
  readonly isGzip: boolean;
}

/** The files of a case that are shown together. */
export type VolumeFiles = Readonly<Partial<Record<VolumeKind, VolumeFile>>>;

export const VOLUME_WORDS: Readonly<Record<VolumeKind, string>> = { image: "Image", label: "Ground truth", prediction: "Prediction" };
export const VOLUME_PLANES = ["All planes", "Axial", "Coronal", "Sagittal", "3D"] as const;

/** How what is loaded is drawn. */
export interface VolumeLook {
  /** Index into `VOLUME_PLANES`. */
  readonly plane: number;
  /** Values that are drawn black and white; those of the file unless given. */
  readonly gray: readonly [low: number, high: number] | undefined;
  readonly opacity: Readonly<Partial<Record<VolumeKind, number>>>;
}

/** What the drawing library tells of the crosshair. */
interface Place {
  readonly mm?: ArrayLike<number> & Iterable<number>;
  readonly values?: readonly { readonly value: number }[];
}

/** Toward the patient's left is right on the screen. */
const MOVES: Readonly<Record<string, readonly [x: number, y: number, z: number]>> = {
  ArrowLeft: [1, 0, 0],
  ArrowRight: [-1, 0, 0],
  ArrowUp: [0, 1, 0],
  ArrowDown: [0, -1, 0],
  PageUp: [0, 0, 1],
  PageDown: [0, 0, -1],
};

/** Draws volumes over each other in three planes and 3D. `onPlace` hears in words where the crosshair is. Arrow keys and Page Up and Down move it. */
export class VolumeViewer {
  readonly #canvas: HTMLCanvasElement;
  readonly #onPlace: (text: string) => void;
  #drawing: Niivue | undefined;
  #starting: Promise<Niivue> | undefined;
  #kinds: readonly VolumeKind[] = [];
  #files: VolumeFiles = {};
  #last: Promise<void> = Promise.resolve();
  #classes: readonly string[] = [];

  constructor(canvas: HTMLCanvasElement, onPlace: (text: string) => void) {
    this.#canvas = canvas;
    this.#onPlace = onPlace;
    canvas.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
  }

  /** Bytes of the files that are not loaded yet. */
  pending(files: VolumeFiles): number {
    return Object.values(files).reduce(
      (sum, file) => sum + (Object.values(this.#files).some(({ url }) => url === file?.url) ? 0 : (file?.bytes ?? 0)),
      0,
    );
  }

  /** Whether it is what is shown but for the prediction: then camera and crosshair stay, and image and ground truth are not read again. */
  isBeside(files: VolumeFiles): boolean {
    const own = this.#files;
    if (!files.prediction || !own.prediction || this.#kinds.length === 0) return false;
    return files.image?.url === own.image?.url && files.label?.url === own.label?.url;
  }

  /** Loads the files in the place of what is shown; nothing is changed when `isWanted` says no in the end. */
  async load(files: VolumeFiles, classes: readonly string[], isWanted: () => boolean): Promise<boolean> {
    this.#starting ??= this.#start();
    const drawing = await this.#starting;
    // One after the other: a change of mind in between must not leave two predictions.
    const mine = this.#last.then(() =>
      isWanted() ? (this.isBeside(files) ? this.#exchange(drawing, files, isWanted) : this.#loadAll(drawing, files, classes)) : undefined,
    );
    this.#last = mine.then(
      () => undefined,
      () => undefined,
    );
    await mine;
    return isWanted();
  }

  async #loadAll(drawing: Niivue, files: VolumeFiles, classes: readonly string[]): Promise<void> {
    const kinds = (Object.keys(VOLUME_WORDS) as VolumeKind[]).filter((kind) => files[kind]);
    this.#files = {};
    this.#kinds = [];
    await drawing.loadVolumes(kinds.map((kind) => ({ ...source(kind, files[kind]!), opacity: 1 })));
    this.#files = files;
    this.#kinds = kinds;
    this.#classes = classes;
    for (const [i, kind] of kinds.entries()) if (kind !== "image") drawing.volumes[i]!.setColormapLabel(colormapOf(classes));
  }

  /** Another prediction in the place of the one that is shown, which stays until the new one is there. */
  async #exchange(drawing: Niivue, files: VolumeFiles, isWanted: () => boolean): Promise<void> {
    if (files.prediction!.url === this.#files.prediction!.url) return;
    const old = drawing.volumes[this.#kinds.length - 1]!;
    const fresh = await drawing.addVolumeFromUrl({ ...source("prediction", files.prediction!), opacity: 0 });
    fresh.setColormapLabel(colormapOf(this.#classes));
    drawing.removeVolume(isWanted() ? old : fresh);
    if (isWanted()) this.#files = files;
  }

  /** Applies planes, gray window and opacities to what is loaded. */
  show({ plane, gray, opacity }: VolumeLook): void {
    const drawing = this.#drawing;
    if (!drawing || this.#kinds.length === 0) return;
    for (const [i, kind] of this.#kinds.entries()) {
      const volume = drawing.volumes[i];
      if (!volume) continue;
      if (kind === "image") [volume.cal_min, volume.cal_max] = gray ?? [volume.global_min ?? 0, volume.global_max ?? 1];
      else volume.opacity = this.#kinds.length === 1 ? 1 : (opacity[kind] ?? 1);
    }
    drawing.updateGLVolume();
    const types = [
      drawing.sliceTypeMultiplanar,
      drawing.sliceTypeAxial,
      drawing.sliceTypeCoronal,
      drawing.sliceTypeSagittal,
      drawing.sliceTypeRender,
    ];
    drawing.setSliceType(types[plane]!);
  }

  destroy(): void {
    this.#drawing?.cleanup();
    // Browsers allow a few WebGL contexts only; this one is not waited for.
    this.#canvas.getContext("webgl2")?.getExtension("WEBGL_lose_context")?.loseContext();
  }

  async #start(): Promise<Niivue> {
    // The library is larger than the rest of the page: it is fetched when somebody wants to see a volume.
    const { Niivue: Drawing } = await import("@niivue/niivue");
    const drawing = new Drawing({
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
      multiplanarLayout: 2,
    });
    drawing.onLocationChange = (at) => this.#onPlace(this.#placeText(at as Place));
    await drawing.attachToCanvas(this.#canvas);
    this.#drawing = drawing;
    return drawing;
  }

  #onKey(event: KeyboardEvent): void {
    const move = MOVES[event.key];
    if (!move || !this.#drawing || this.#kinds.length === 0) return;
    // The library has keys of its own, and the page would scroll.
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#drawing.moveCrosshairInVox(...move);
  }

  #placeText({ mm, values }: Place): string {
    if (!mm || !values) return "";
    const parts = this.#kinds.map((kind, i) => {
      const value = values[i]?.value ?? 0;
      return `${VOLUME_WORDS[kind].toLowerCase()} ${kind === "image" ? formatValue(value) : (this.#classes[Math.round(value)] ?? value)}`;
    });
    const [x, y, z] = [...mm].map((side) => (Math.round(side * 10) / 10 || 0).toFixed(1));
    return `(${x}, ${y}, ${z}) mm · ${parts.join(" · ")}`;
  }
}

function source(kind: VolumeKind, { url, isGzip }: VolumeFile) {
  return { url, name: `${kind}.nii${isGzip ? ".gz" : ""}`, colormap: "gray" };
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
