import { join } from "node:path";
import type { CaseLayout } from "./case-layout.js";
import { readDatasetJson } from "./read-dataset-json.js";
import { volumeFiles, volumeStem, volumesByStem } from "./volume-files.js";

/** Medical Segmentation Decathlon: `imagesTr/<case>.nii.gz` (channels in the fourth axis) and `labelsTr/<case>.nii.gz`; `imagesTs` for the test subset. */
export const msdLayout: CaseLayout = {
  name: "msd",
  looksFor: "imagesTr/<case>.nii.gz with labelsTr/<case>.nii.gz (Medical Segmentation Decathlon)",
  matches: (root) => volumeFiles(join(root, "imagesTr")).length + volumeFiles(join(root, "imagesTs")).length > 0,
  list: ({ root, subset }) => {
    const suffix = subset === "train" ? "Tr" : "Ts";
    const folder = join(root, `images${suffix}`);
    const labels = volumesByStem(join(root, `labels${suffix}`));
    return volumeFiles(folder).map((name) => {
      const id = volumeStem(name);
      const label = labels.get(id);
      return { id, images: [join(folder, name)], ...(label === undefined ? {} : { label }) };
    });
  },
  facts: readDatasetJson,
};
