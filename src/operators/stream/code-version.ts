import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { native } from "../../kernels/native.js";

/** Folders whose code decides what voxels come out, and how they are stored. */
const FOLDERS = ["kernels", "io", "workers/steps", "workers/tasks", "operators/patch", "cache"];

let version: string | undefined;

/**
 * Hash of the code that makes cached voxels, and of the instruction set that the native kernels chose: a cache never outlives a change of either, and
 * nobody has to remember to count up a number.
 */
export function codeVersion(): string {
  if (version === undefined) {
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const hash = createHash("sha256");
    for (const folder of FOLDERS) {
      for (const file of codeFiles(root + folder)) hash.update(file.slice(root.length)).update(readFileSync(file));
    }
    version = hash.update(native()?.isa ?? "no addon").digest("hex");
  }
  return version;
}

function codeFiles(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      if (statSync(path).isDirectory()) return codeFiles(path);
      return /\.(js|ts)$/.test(name) && !name.endsWith(".d.ts") ? [path] : [];
    });
}
