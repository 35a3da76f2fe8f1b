import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { arch, cpus, homedir, platform } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { makeFolder } from "../../core/make-folder.js";
import { type SelfCheckResult, selfCheck } from "./self-check.js";

/** Where results of self-checks are kept: `$VOXSTREAM_CACHE`, else the user's cache folder. */
export function checkFolder(): string {
  return process.env.VOXSTREAM_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "voxstream");
}

function fileFor(backend: string, version: string): string {
  const machine = [platform(), arch(), cpus()[0]?.model ?? "", process.versions.node, tf.version_core];
  const key = createHash("sha256")
    .update([backend, version, ...machine].join("\n"))
    .digest("hex")
    .slice(0, 16);
  return join(checkFolder(), `self-check-${backend}-${key}.json`);
}

/** The result of an earlier self-check of this version on this machine. */
export function recallCheck(backend: string, version: string): SelfCheckResult | undefined {
  try {
    const result = JSON.parse(readFileSync(fileFor(backend, version), "utf8")) as SelfCheckResult;
    return Number.isInteger(result.cases) && Array.isArray(result.failures) ? result : undefined;
  } catch {
    // Never checked, or the file is damaged: both mean checking again.
    return undefined;
  }
}

/** Results that could not be kept in a file, as in a container whose home cannot be written. */
const unkept = new Map<string, SelfCheckResult>();

/** Checks once per version and machine; `version` names everything about the engine's code that may change. */
export async function rememberedCheck(backend: string, version: string): Promise<SelfCheckResult> {
  const key = `${backend} ${version}`;
  const known = recallCheck(backend, version) ?? unkept.get(key);
  if (known) return known;
  const result = await selfCheck(backend);
  try {
    const file = fileFor(backend, version);
    makeFolder(checkFolder());
    // Several processes may end their check at once.
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(result));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A folder that cannot be written only means that the next process checks again.
    unkept.set(key, result);
  }
  return result;
}
