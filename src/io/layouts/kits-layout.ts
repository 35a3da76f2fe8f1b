import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { CaseRef } from "../../core/case.js";
import type { CaseLayout } from "./case-layout.js";
import { volumeFileNamed } from "./volume-files.js";

/** KiTS: one folder per case with `imaging` and `segmentation`, as `.nii.gz` or in any other format. The root may also be one case's folder. */
export const kitsLayout: CaseLayout = {
  name: "kits",
  looksFor: "<case>/imaging.nii.gz with <case>/segmentation.nii.gz beside it (KiTS)",
  matches: (root) => list(root).length > 0,
  list: ({ root }) => list(root),
  facts: () => ({}),
};

function list(root: string): CaseRef[] {
  if (!existsSync(root) || !statSync(root).isDirectory()) return [];
  const self = caseIn(root, basename(resolve(root)));
  if (self) return [self];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink()))
    .map((entry) => caseIn(join(root, entry.name), entry.name))
    .filter((ref) => ref !== undefined);
}

function caseIn(folder: string, id: string): CaseRef | undefined {
  const image = volumeFileNamed(folder, "imaging");
  const label = volumeFileNamed(folder, "segmentation");
  if (image === undefined && label === undefined) return undefined;
  // A label without its image stays in the list, so that reading it names the file that is missing.
  return { id, images: [image ?? join(folder, "imaging.nii.gz")], ...(label === undefined ? {} : { label }) };
}
