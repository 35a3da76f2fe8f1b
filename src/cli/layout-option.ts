import { Option } from "commander";

export type LayoutName = "auto" | "kits" | "nnunet" | "msd" | "folders" | "csv" | "dicom";

/** `--layout`, alike on all commands that read data sets. */
export const layoutOption = (): Option =>
  new Option("--layout <name>", "how the cases are laid out").choices(["auto", "kits", "nnunet", "msd", "folders", "csv", "dicom"]).default("auto");
