/** How many bytes before an offset identify it. */
export const ANCHOR_BYTES = 64;

/**
 * Names a place in an append-only file: its byte offset and a hash of the 64 bytes before it. A reader that comes back later, also after a restart of the
 * server, learns from the hash whether those bytes are still the same; a file that was cut or replaced (a resumed run) no longer matches.
 *
 * @example
 * eventAnchor(0, new Uint8Array()) // "0-811c9dc5"
 */
export function eventAnchor(offset: number, before: Uint8Array): string {
  // FNV-1a, 32 bits: it guards against mix-ups, not against attackers, who own the file anyway.
  let hash = 0x811c9dc5;
  for (const byte of before) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${offset}-${(hash >>> 0).toString(16).padStart(8, "0")}`;
}

/** The offset of an anchor, or undefined when the text is none. */
export function anchorOffset(anchor: string): number | undefined {
  const match = /^(\d{1,15})-[0-9a-f]{8}$/.exec(anchor);
  return match ? Number(match[1]) : undefined;
}
