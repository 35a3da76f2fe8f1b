import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CaseRef } from "../../core/case.js";
import { VoxError } from "../../core/errors.js";
import type { CaseLayout } from "./case-layout.js";
import { parseCsv } from "./parse-csv.js";

/**
 * A manifest with a heading line: columns `id`, `image` (more channels: `image2`, `image3`, ...) and `label`; other columns travel along as `extra`.
 * Paths are relative to the manifest. The root is the manifest, or a folder with `cases.csv`.
 */
export const csvLayout: CaseLayout = {
  name: "csv",
  looksFor: "a CSV manifest (or cases.csv in the folder) with columns id,image[,image2...],label",
  matches: (root) => manifestOf(root) !== undefined,
  list: ({ root }) => {
    const path = manifestOf(root);
    return path === undefined ? [] : list(path);
  },
  facts: (root) => {
    const path = manifestOf(root);
    const images = path === undefined ? 0 : imageColumns(parseCsv(readFileSync(path, "utf8"))[0] ?? []).length;
    return images > 0 ? { channels: images } : {};
  },
};

function manifestOf(root: string): string | undefined {
  if (!existsSync(root)) return undefined;
  if (statSync(root).isFile()) return /\.csv$/i.test(root) ? root : undefined;
  const inside = join(root, "cases.csv");
  return existsSync(inside) ? inside : undefined;
}

function imageColumns(heading: readonly string[]): number[] {
  return heading.flatMap((name, column) => (/^image[_-]?\d*$/i.test(name.trim()) ? [column] : []));
}

function list(path: string): CaseRef[] {
  const [heading = [], ...rows] = parseCsv(readFileSync(path, "utf8"));
  const names = heading.map((name) => name.trim());
  const id = names.indexOf("id");
  const label = names.indexOf("label");
  const images = imageColumns(names);
  if (id < 0 || images.length === 0) {
    throw new VoxError(`the heading must have columns id,image[,image2...],label, got ${names.join(",")}`, { code: "ERR_DATA", where: path });
  }
  const others = names.map((_, column) => column).filter((column) => column !== id && column !== label && !images.includes(column));
  // What stands behind a path is no part of it.
  const at = (value: string): string => {
    const [, file = "", options = ""] = /^(.*?)(#dicom(?:=.*)?)?$/s.exec(value.trim())!;
    return resolve(dirname(path), file) + options;
  };
  return rows.map((row, n) => {
    if (row.length !== names.length) {
      throw new VoxError(`each line must have ${names.length} columns, got ${row.length} in case ${n + 1}`, { code: "ERR_DATA", where: path });
    }
    if (!row[id]!.trim() || !row[images[0]!]!.trim())
      throw new VoxError(`each line must have an id and an image, got "${row.join(",")}" in case ${n + 1}`, { code: "ERR_DATA", where: path });
    return {
      id: row[id]!.trim(),
      images: images.filter((column) => row[column]!.trim() !== "").map((column) => at(row[column]!)),
      ...(label >= 0 && row[label]!.trim() !== "" ? { label: at(row[label]!) } : {}),
      ...(others.length > 0 ? { extra: Object.fromEntries(others.map((column) => [names[column]!, row[column]!])) } : {}),
    };
  });
}
