import { fileURLToPath } from "node:url";
import { findAddon } from "./find-addon.js";

/** The functions of the addon, as declared by each kernel family (declaration merging in the family's own file). */
export interface NativeAddon {
  /** The version of the package that it was built from. */
  readonly version: string;
  readonly isa: "base" | "avx2" | "avx512";
  threadCount(): number;
  setThreadCount(threads: number): void;
}

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
  // Two folders up from src/kernels or dist/kernels.
  const found = findAddon(fileURLToPath(new URL("../../", import.meta.url)));
  reason = found.reason;
  return found.addon;
}
