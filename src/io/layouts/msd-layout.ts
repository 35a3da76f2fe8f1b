import { join } from "node:path";
import type { CaseLayout } from "./case-layout.js";
import { niftiFiles, niftiNamed, niftiStem } from "./nifti-files.js";
import { readDatasetJson } from "./read-dataset-json.js";

/** Medical Segmentation Decathlon: `imagesTr/<case>.nii.gz` (channels in the fourth axis) and `labelsTr/<case>.nii.gz`; `imagesTs` for the test subset. */
export const msdLayout: CaseLayout = {
  name: "msd",
  looksFor: "imagesTr/<case>.nii.gz with labelsTr/<case>.nii.gz (Medical Segmentation Decathlon)",
  matches: (root) => niftiFiles(join(root, "imagesTr")).length + niftiFiles(join(root, "imagesTs")).length > 0,
  list: ({ root, subset }) => {
    const suffix = subset === "train" ? "Tr" : "Ts";
    const folder = join(root, `images${suffix}`);
    return niftiFiles(folder).map((name) => {
      const id = niftiStem(name);
      const label = niftiNamed(join(root, `labels${suffix}`), id);
      return { id, images: [join(folder, name)], ...(label === undefined ? {} : { label }) };
    });
  },
  facts: readDatasetJson,
};
