import { native } from "../native.js";

declare module "../native.js" {
  interface NativeAddon {
    dropMappedPages?(path: string): number;
  }
}

/**
 * Takes the pages of a file's memory maps out of this process's resident memory. They stay in the system's cache, and reading the maps brings them back. Only
 * maps that are shared and cannot be written are touched. The file must stay mapped meanwhile: whoever owns the map calls this.
 *
 * @param path as the system knows it, without symbolic links
 * @returns bytes of these maps; 0 without the addon, on other systems than Linux, and where the file is not mapped
 */
export function dropMappedPages(path: string): number {
  return native()?.dropMappedPages?.(path) ?? 0;
}
