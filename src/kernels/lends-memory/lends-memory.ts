import { native } from "../native.js";

declare module "../native.js" {
  interface NativeAddon {
    lendsMemory?(): boolean;
  }
}

/**
 * Whether a buffer may lie in memory that is not V8's own. Where V8 keeps all buffers in a cage, as in Electron, none may, and functions of other addons that
 * make such buffers give anything back. Without the addon nobody can tell but by Electron's name.
 */
export function lendsMemory(): boolean {
  return native()?.lendsMemory?.() ?? process.versions.electron === undefined;
}
