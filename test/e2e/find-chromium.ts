import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "chromium-headless-shell", "google-chrome", "google-chrome-stable"];

/** A Chromium of the system: the one named by `VOXSTREAM_CHROMIUM`, or the first on the search path; undefined when there is none. */
export function findChromium(): string | undefined {
  const candidates = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [process.env.VOXSTREAM_CHROMIUM ?? "", ...candidates].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return path !== "";
    } catch {
      return false;
    }
  });
}
