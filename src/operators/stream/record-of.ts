import type { ArrayRecord } from "../../cache/case-record.js";
import type { CaseStore } from "../../cache/case-store.js";
import type { Sample } from "../../core/sample.js";
import type { Volume } from "../../core/volume.js";
import { statistics } from "../../kernels/statistics/statistics.js";
import { float16 } from "../../kernels/voxel-encoding/float16.js";
import { voxelEncoding } from "../../kernels/voxel-encoding/voxel-encoding.js";
import { foregroundPoints, lesionPoints } from "../patch/foreground-points.js";
import type { CaseRecipe } from "./case-key.js";

/**
 * The commit record of a case that `load` and its operators have made, in memory: it still lacks its size and time.
 *
 * @throws `ERR_VALUES` when the image does not fit its 16 bits
 */
export function recordOf(
  { id, image, label, source, history, extra }: Sample,
  { links, image: form }: CaseRecipe,
): Parameters<CaseStore["write"]>[1] {
  const voxels = (image as Volume<"float32">).data;
  const channels = statistics(voxels, { channels: image.shape[3] });
  // int16 begins at the smallest voxel; float16 may round it.
  const minimum = channels.map(({ min }) => (form === "float16" ? float16.decode(float16.encode(min)) : min));
  const encoding = form === "float32" ? undefined : voxelEncoding(form, channels, form === "int16" && voxels.every(Number.isInteger));
  return {
    id,
    made: ["load", ...links.map((link) => link.name)].join(" "),
    image: { dtype: "float32", shape: image.shape, geometry: image.geometry, minimum, ...(encoding && { encoding }) },
    ...(label && {
      label: {
        dtype: label.dtype,
        shape: label.shape,
        geometry: label.geometry,
        minimum: new Array<number>(label.shape[3]).fill(0),
        ...(label.shape[3] === 1 && foregroundOf(label as Volume<"uint8" | "uint16">)),
      },
    }),
    ...(source && { source }),
    history,
    ...(extra && { extra }),
  };
}

/** What `patch` draws from, so that it never has to look at a whole label map. */
function foregroundOf({ data, shape }: Volume<"uint8" | "uint16">): Pick<ArrayRecord, "points" | "lesions"> {
  return { points: foregroundPoints(data), lesions: lesionPoints(data, shape) };
}
