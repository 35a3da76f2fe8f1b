import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The functions of the addon, as declared by each kernel family (declaration merging in the family's own file). */
export interface NativeAddon {
  readonly isa: "base" | "avx2" | "avx512";
  threadCount(): number;
  setThreadCount(threads: number): void;
}

const CANDIDATES = [`prebuilds/${process.platform}-${process.arch}/voxstream.node`, "native/build/Release/voxstream.node"];

let loaded: NativeAddon | undefined | null = null;
let reason = "";

/** The addon, or undefined when it was not built, does not load, or `VOXSTREAM_NATIVE=0` asks for the TypeScript kernels. */
export function native(): NativeAddon | undefined {
  if (loaded === null) loaded = find();
  return loaded;
}

/** Why `native()` is undefined; empty when it is there. */
export function nativeMissingReason(): string {
  native();
  return reason;
}

function find(): NativeAddon | undefined {
  if (process.env.VOXSTREAM_NATIVE === "0") {
    reason = "VOXSTREAM_NATIVE=0";
    return undefined;
  }
  const require = createRequire(import.meta.url);
  // Two folders up from src/kernels or dist/kernels.
  const root = fileURLToPath(new URL("../../", import.meta.url));
  reason = "the addon was not built";
  for (const candidate of CANDIDATES) {
    if (!existsSync(root + candidate)) continue;
    try {
      const addon = require(root + candidate) as NativeAddon;
      reason = "";
      return addon;
    } catch (error) {
      reason = `${candidate} does not load: ${(error as Error).message}`;
    }
  }
  return undefined;
}
