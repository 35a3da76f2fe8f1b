import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export type TensorflowPackage = "@tensorflow/tfjs-node" | "@tensorflow/tfjs-node-gpu";

export interface TensorflowState {
  /** The file to import, when the package can run here. */
  readonly entry?: string;
  /** Why it cannot. */
  readonly reason?: string;
}

// util.isNullOrUndefined, which the last release (4.22) calls, left Node with version 23.
const FIRST_BROKEN_NODE = 23;

/** Whether an optional TensorFlow package is here and can run; loads nothing. */
export function tensorflowState(name: TensorflowPackage, from: string = import.meta.url, node: string = process.versions.node): TensorflowState {
  const require = createRequire(from);
  let entry: string;
  let folder: string;
  try {
    entry = require.resolve(name);
    folder = dirname(require.resolve(`${name}/package.json`));
  } catch {
    return { reason: `${name} is not installed (npm install ${name})` };
  }
  if (Number.parseInt(node, 10) >= FIRST_BROKEN_NODE) return { reason: `${name} does not run on Node ${node}; use Node 22 or older` };
  const lib = join(folder, "lib");
  const hasBinary = existsSync(lib) && readdirSync(lib).some((part) => existsSync(join(lib, part, "tfjs_binding.node")));
  if (!hasBinary) return { reason: `${name} is installed without its binary (npm rebuild ${name} --build-addon-from-source)` };
  return { entry };
}
