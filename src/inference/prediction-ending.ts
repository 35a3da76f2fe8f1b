import type { CaseRef, DataSet } from "../core/case.js";
import { formatOf } from "../io/formats.js";
import { readHeader } from "../io/read-header.js";

/** What label maps are written as: `auto` gives pictures a picture. */
export type PredictionFormat = "auto" | "nii.gz" | "png";

/** The ending of the file that a case's label map is written to: `.png` where its image is one picture, whatever its format, else `.nii.gz`. */
export async function predictionEnding({ images }: CaseRef, data: DataSet, format: PredictionFormat): Promise<".nii.gz" | ".png"> {
  if (format !== "auto") return `.${format}`;
  const [first] = images;
  if (data.read || first === undefined) return ".nii.gz";
  try {
    const { isPlanar, name } = formatOf(first);
    if (!isPlanar) return ".nii.gz";
    // A TIFF file may be a stack.
    return name !== "tiff" || (await readHeader(first)).shape[0] === 1 ? ".png" : ".nii.gz";
  } catch {
    // What is wrong with the image is said when it is read.
    return ".nii.gz";
  }
}
