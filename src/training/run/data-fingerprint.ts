import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { CaseRef } from "../../core/case.js";
import { addressOptions } from "../../io/dicom/dicom-address.js";
import { filesOfVolume } from "../../io/files-of-volume.js";

/** Hash of ids, file names and sizes, and what files are said to mean: changes when cases come, go, are replaced by others or read otherwise, and not when the folder moves. */
export async function dataFingerprint(cases: readonly CaseRef[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { id, images, label, reading } of [...cases].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    hash.update(`${id}\n`);
    const paths = [...images, ...(label === undefined ? [] : [label])];
    const meaning = paths.map(addressOptions).concat(reading ? [JSON.stringify(reading)] : []);
    if (meaning.some((text) => text !== "")) hash.update(`${JSON.stringify(meaning)}\n`);
    const files = await Promise.all(paths.map(filesOfVolume));
    for (const path of files.flat()) {
      // Cases of a custom reader need not be files.
      const bytes = await stat(path).then(
        ({ size }) => size,
        () => -1,
      );
      hash.update(`${basename(path)} ${bytes}\n`);
    }
  }
  return hash.digest("hex");
}
