import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { CaseRef } from "../../core/case.js";
import { filesOfVolume } from "../../io/files-of-volume.js";

/** Hash of ids, file names and file sizes: changes when cases come, go or are replaced by others, and not when the folder moves. */
export async function dataFingerprint(cases: readonly CaseRef[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { id, images, label } of [...cases].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    hash.update(`${id}\n`);
    const files = await Promise.all([...images, ...(label === undefined ? [] : [label])].map(filesOfVolume));
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
