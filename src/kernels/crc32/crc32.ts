import { crc32 as zlibCrc32 } from "node:zlib";
import { native } from "../native.js";

declare module "../native.js" {
  interface NativeAddon {
    crc32?(bytes: Uint8Array): number;
  }
}

/** CRC-32 of bytes as in gzip and PNG, by carry-less multiplication where the processor has it; else zlib's. */
export function crc32(bytes: Uint8Array): number {
  return native()?.crc32?.(bytes) ?? zlibCrc32(bytes);
}
