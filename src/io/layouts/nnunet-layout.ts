import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CaseRef } from "../../core/case.js";
import type { CaseLayout, LayoutOptions } from "./case-layout.js";
import { readDatasetJson } from "./read-dataset-json.js";
import { volumeFiles, volumeStem, volumesByStem } from "./volume-files.js";

const CHANNEL_NAME = /^(.+)_(\d{4})$/;

/** nnU-Net raw: `imagesTr/<case>_0000.nii.gz` (one file per channel) and `labelsTr/<case>.nii.gz`; `imagesTs` for the test subset. */
export const nnunetLayout: CaseLayout = {
  name: "nnunet",
  looksFor: "imagesTr/<case>_0000.nii.gz with labelsTr/<case>.nii.gz (nnU-Net raw)",
  matches: (root) => {
    const names = volumeFiles(join(root, existsSync(join(root, "imagesTr")) ? "imagesTr" : "imagesTs"));
    return names.length > 0 && names.every((name) => CHANNEL_NAME.test(volumeStem(name)));
  },
  list,
  facts: readDatasetJson,
};

function list({ root, subset }: LayoutOptions): CaseRef[] {
  const suffix = subset === "train" ? "Tr" : "Ts";
  const labels = volumesByStem(join(root, `labels${suffix}`));
  return groupChannels(join(root, `images${suffix}`)).map(({ id, images }) => {
    const label = labels.get(id);
    return { id, images, ...(label === undefined ? {} : { label }) };
  });
}

/** Cases of a folder whose files end in a channel number. */
export function groupChannels(folder: string): { readonly id: string; readonly images: readonly string[] }[] {
  const cases = new Map<string, string[]>();
  // Names come sorted, so channels come in order.
  for (const name of volumeFiles(folder)) {
    const id = CHANNEL_NAME.exec(volumeStem(name))?.[1];
    if (id === undefined) continue;
    const images = cases.get(id);
    if (images) images.push(join(folder, name));
    else cases.set(id, [join(folder, name)]);
  }
  return [...cases].map(([id, images]) => ({ id, images }));
}
