import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { axisAligned, type SourceAxis, type SourceGrid } from "../../core/geometry.js";
import { elementCount, type Triple } from "../../core/shape.js";
import { writeVolume } from "../../io/write-volume.js";
import type { PreviewInput } from "./preview-input.js";

/** Predictions of more epochs than this are thinned out: every other one of the older half goes. */
const KEEP = 60;
/** Larger patches would cost more disk than a look at them is worth. */
const MOST_VOXELS = 64 << 20;

export interface PreviewVolumePaths {
  readonly image: string;
  readonly label: string;
  readonly prediction: string;
}

/** Keeps the validation patch of a run as NIfTI files, the prediction of each epoch beside one image and label map, so that one can look back. */
export class PreviewVolumes {
  #written: { readonly key: string; readonly image: string; readonly label: string } | undefined;
  #kept: string[] = [];

  /** @throws `ERR_WRITE` */
  async write({ id, epoch, image, shape, label, prediction, folder }: PreviewInput, spacing: Triple | null): Promise<PreviewVolumePaths | undefined> {
    const [depth, height, width] = shape;
    const voxels = elementCount([depth, height, width]);
    if (voxels > MOST_VOXELS) return undefined;
    const grid = gridOf([depth, height, width], spacing ?? [1, 1, 1], id);
    const save = (name: string, data: Float32Array | Uint8Array | Uint16Array, kind: "float" | "label") =>
      writeVolume(join(folder, name), data, [depth, height, width, 1], grid, { kind });
    // The same patch comes after every epoch, unless the graph draws another one.
    const key = createHash("sha256").update(image).digest("hex").slice(0, 12);
    if (this.#written?.key !== key) {
      const files = { image: `previews/patch-${key}.image.nii.gz`, label: `previews/patch-${key}.label.nii.gz` };
      const channel = shape[3] === 1 ? image : Float32Array.from({ length: voxels }, (_, i) => image[i * shape[3]]!);
      await save(files.image, channel, "float");
      await save(files.label, label, "label");
      this.#written = { key, ...files };
    }
    const name = `previews/epoch-${String(epoch).padStart(5, "0")}.prediction.nii.gz`;
    await save(name, prediction, "label");
    if (!this.#kept.includes(name)) this.#kept.push(name);
    if (this.#kept.length > KEEP) {
      const old = this.#kept.slice(1, KEEP / 2).filter((_, i) => i % 2 === 0);
      await Promise.all(old.map((file) => rm(join(folder, file), { force: true })));
      this.#kept = this.#kept.filter((file) => !old.includes(file));
    }
    const { image: imagePath, label: labelPath } = this.#written;
    return { image: imagePath, label: labelPath, prediction: name };
  }
}

function gridOf([depth, height, width]: Triple, spacing: Triple, path: string): SourceGrid {
  const along = (axis: 0 | 1 | 2): SourceAxis => ({ axis, flipped: false });
  return {
    format: "arrays",
    path,
    shape: [width, height, depth],
    dimensions: depth === 1 ? 2 : 3,
    affine: axisAligned(spacing).affine,
    axes: [along(0), along(1), along(2)],
    orientation: "RAS",
    header: null,
  };
}
