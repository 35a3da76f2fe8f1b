import { native } from "../native.js";

declare module "../native.js" {
  interface NativeAddon {
    adviseHugePages?(bytes: Uint8Array): boolean;
  }
}

/** What is smaller has hardly a whole huge page. */
const LEAST_BYTES = 4 * 1024 ** 2;
/** One array of Node 20 holds at most 4 GiB of bytes; a buffer may be larger. */
const MOST_AT_ONCE = 1024 ** 3;

/**
 * Asks the system to put memory on huge pages, of 2 MB instead of 4 KB: a first touch then costs a hundredth, and large copies find their addresses faster. The
 * contents stay, and no memory is taken by it; what is touched of a huge page is resident as a whole.
 *
 * @returns whether it was asked: not without the addon, with `VOXSTREAM_HUGE_PAGES=0`, for little memory, or on other systems than Linux. Where
 * `/sys/kernel/mm/transparent_hugepage/enabled` is `never`, the system does nothing
 */
export function hugePages(memory: ArrayBufferLike): boolean {
  if (memory.byteLength < LEAST_BYTES || process.env.VOXSTREAM_HUGE_PAGES === "0") return false;
  const { adviseHugePages } = native() ?? {};
  if (!adviseHugePages) return false;
  let isAsked = true;
  for (let at = 0; at < memory.byteLength; at += MOST_AT_ONCE) {
    isAsked = adviseHugePages(new Uint8Array(memory, at, Math.min(MOST_AT_ONCE, memory.byteLength - at))) && isAsked;
  }
  return isAsked;
}
