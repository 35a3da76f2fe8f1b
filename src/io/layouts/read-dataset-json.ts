import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, VoxError } from "../../core/errors.js";
import type { LayoutFacts } from "./case-layout.js";

/**
 * Classes and number of channels from a `dataset.json` of MSD or nnU-Net (version 1 or 2); nothing when there is no such file, or when its labels are
 * regions instead of classes.
 *
 * @throws `ERR_DATA` when the file is not what such files are
 */
export function readDatasetJson(root: string): LayoutFacts {
  const path = join(root, "dataset.json");
  if (!existsSync(path)) return {};
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new VoxError(`the file must be JSON, got ${errorMessage(cause)}`, { code: "ERR_DATA", where: path, cause });
  }
  const { labels, channel_names, modality } = content as Readonly<Record<string, unknown>>;
  const names = (channel_names ?? modality) as object | undefined;
  const classes = labels && typeof labels === "object" ? classNames(labels as Readonly<Record<string, unknown>>, path) : undefined;
  return { ...(classes ? { classes } : {}), ...(names && typeof names === "object" ? { channels: Object.keys(names).length } : {}) };
}

/** `{"0": "background"}` (MSD, nnU-Net 1) or `{"background": 0}` (nnU-Net 2). */
function classNames(labels: Readonly<Record<string, unknown>>, path: string): string[] | undefined {
  const named = new Map<number, string>();
  for (const [key, value] of Object.entries(labels)) {
    if (Array.isArray(value) || key === "ignore") return undefined;
    const [index, name] = /^\d+$/.test(key) && typeof value === "string" ? [Number(key), value] : [Number(value), key];
    named.set(index, name);
  }
  const classes = Array.from({ length: named.size }, (_, index) => named.get(index));
  if (classes.some((name) => name === undefined)) {
    throw new VoxError(`labels must be numbered 0, 1, 2, ..., got ${[...named.keys()].join(", ")}`, { code: "ERR_DATA", where: path });
  }
  return classes as string[];
}
