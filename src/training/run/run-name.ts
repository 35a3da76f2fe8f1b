import { basename } from "node:path";

/** What a run is called where its configuration gives no name: `kits19` from `configs/kits19.config.ts`, `run` without a file. */
export function runName(path: string | undefined): string {
  if (path === undefined) return "run";
  return (
    basename(path)
      .replace(/(\.config)?\.[cm]?[jt]s(?=#|$)/, "")
      .replace(/[^\w.-]/g, "-") || "run"
  );
}
