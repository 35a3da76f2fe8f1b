import { isVoxError } from "../core/errors.js";
import type { Sample } from "../core/sample.js";

/** How to go on after `error`: undefined, unless it says that a cached array of the sample is damaged or gone and can be made again. */
export function mendOf(error: unknown, { image, label }: Pick<Sample, "image" | "label">): ((signal?: AbortSignal) => Promise<void>) | undefined {
  if (!isVoxError(error) || (error.code !== "ERR_CHECKSUM" && error.code !== "ERR_CACHE")) return undefined;
  // Image and label are parts of one case, which is made again as a whole.
  const source = image.mend ? image : label?.mend ? label : undefined;
  return source && ((signal) => source.mend!(signal));
}
