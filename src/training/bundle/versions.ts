import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";

let found: Readonly<Record<string, string>> | undefined;

/** Versions that a run depends on, for manifests and bundles. */
export function versions(): Readonly<Record<string, string>> {
  if (!found) {
    // Two folders up from src/training and from dist/training.
    const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string };
    found = { voxstream: version, node: process.versions.node, tfjs: tf.version_core };
  }
  return found;
}
