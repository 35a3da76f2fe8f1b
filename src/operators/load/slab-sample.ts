import { formatBytes } from "../../core/bytes.js";
import { VoxError } from "../../core/errors.js";
import type { Sample } from "../../core/sample.js";
import { canReadRegions, FileVolume } from "../../io/file-volume.js";
import type { LoadOptions } from "./load.js";
import type { OpenCase } from "./open-case.js";

/** Whether a case can stay on disk while patches are cut from it: all of its files are plain `.nii`. */
export function canStayOnDisk({ voxels }: OpenCase): boolean {
  return !("custom" in voxels) && [...voxels.images, ...(voxels.label ? [voxels.label] : [])].every(canReadRegions);
}

/** A sample whose voxels stay in their files: each crop reads its own rows. */
export function slabSample({ item, layout, voxels }: OpenCase, { nonFinite, labels }: Required<LoadOptions>): Sample {
  if ("custom" in voxels)
    throw new VoxError("the case must lie in files, got arrays of a reader", { code: "ERR_DATA", where: "load", sampleId: item.id });
  const { images, label, source } = voxels;
  return {
    id: item.id,
    epoch: item.epoch,
    image: new FileVolume(images, "float32", { nonFinite }),
    ...(label &&
      layout.label && {
        label: new FileVolume<"uint8" | "uint16">([label], layout.label.dtype, labels === "declared" ? { classes: item.data.classes.length } : {}),
      }),
    source,
    history: [{ operator: "load", params: { nonFinite, labels } }],
    ...(item.ref.extra && { extra: item.ref.extra }),
  };
}

/** Why a case that is too large for its budget cannot stay on disk, and what to do about it. */
export function tooLarge(open: OpenCase, bytes: number, budget: number, keepFree: number, operators: readonly string[]): VoxError {
  const advice =
    operators.length > 0
      ? `${operators.join(", ")} need${operators.length === 1 ? "s" : ""} the whole case: put patch directly behind load, or raise memory`
      : "custom" in open.voxels
        ? "raise memory, or let the reader deliver smaller cases"
        : "compressed files must be read whole: decompress the case to .nii, of which patch reads only what it needs, or raise memory";
  return new VoxError(
    `an item of ${formatBytes(bytes)} must fit the memory budget of ${formatBytes(budget)} less ${formatBytes(keepFree)} for later stages; ${advice}`,
    {
      code: "ERR_MEMORY",
      where: ["load", ...operators].join("+"),
      sampleId: open.item.id,
    },
  );
}
