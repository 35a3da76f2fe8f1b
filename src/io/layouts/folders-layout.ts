import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CaseLayout } from "./case-layout.js";
import { volumeFiles, volumeStem, volumesByStem } from "./volume-files.js";

const IMAGE_FOLDERS = ["images", "imgs", "image"];
const LABEL_FOLDERS = ["labels", "masks", "segmentations", "annotations", "label", "mask"];
/** What programs append to the names of masks. */
const LABEL_ENDINGS = ["", "_mask", "_label", "_seg", "_segmentation"];

/** Two folders: `images/<case>.png`, and `labels/<case>.png` or `masks/...`, in any format that is read; names may differ by `_mask` and the like. */
export const foldersLayout: CaseLayout = {
  name: "folders",
  looksFor: "images/<case>.png with labels/<case>.png or masks/<case>.png, in any format",
  matches: (root) => volumeFiles(folderAmong(root, IMAGE_FOLDERS) ?? "").length > 0,
  list: ({ root }) => {
    const images = folderAmong(root, IMAGE_FOLDERS);
    const labels = folderAmong(root, LABEL_FOLDERS);
    if (images === undefined) return [];
    const masks = labels === undefined ? undefined : volumesByStem(labels);
    return volumeFiles(images).map((name) => {
      const id = volumeStem(name);
      const label = LABEL_ENDINGS.map((ending) => masks?.get(id + ending)).find((path) => path !== undefined);
      return { id, images: [join(images, name)], ...(label === undefined ? {} : { label }) };
    });
  },
  facts: () => ({}),
};

/** The first folder of these names, in any case of letters. */
function folderAmong(root: string, wanted: readonly string[]): string | undefined {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const names = readdirSync(root);
  const name = wanted.map((one) => names.find((there) => there.toLowerCase() === one)).find((there) => there !== undefined);
  return name === undefined ? undefined : join(root, name);
}
