import { inflateRawSync } from "node:zlib";
import { crc32 } from "../kernels/crc32/crc32.js";
import { isGzip } from "./is-gzip.js";

const FLAGS = { checksum: 2, extra: 4, name: 8, comment: 16 } as const;

/**
 * Decompresses the members of a gzip file up to its end, or up to bytes that are no member: what some tools leave behind, and gzip ignores. Node's own
 * functions refuse such files, so this is what is tried after they have.
 *
 * @throws zlib's error, and for a member that is cut or does not fit its checksum an error in zlib's words
 * @source RFC 1952
 */
export function gunzipMembers(bytes: Uint8Array, most: number): Uint8Array {
  const members: Uint8Array[] = [];
  let length = 0;
  for (let at = 0; isGzip(bytes.subarray(at)); ) {
    const from = at + headerBytes(bytes.subarray(at));
    // With `info`, Node gives the engine too, which knows how much of the input it has used; its types do not say so.
    const { buffer, engine } = inflateRawSync(bytes.subarray(from), { info: true, maxOutputLength: Math.max(1, most - length) }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    const end = from + engine.bytesWritten;
    if (end + 8 > bytes.length) throw new Error("unexpected end of file");
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + end, 8);
    if (trailer.getUint32(0, true) !== crc32(buffer)) throw new Error("incorrect data check");
    if (trailer.getUint32(4, true) !== buffer.length % 2 ** 32) throw new Error("incorrect length check");
    members.push(buffer);
    length += buffer.length;
    at = end + 8;
  }
  return members.length === 1 ? members[0]! : Buffer.concat(members);
}

/** Where the deflated data of a member begin. */
function headerBytes(member: Uint8Array): number {
  const flags = member[3] ?? 0;
  let at = 10;
  if (flags & FLAGS.extra) at += 2 + (member[at] ?? 0) + 256 * (member[at + 1] ?? 0);
  for (const text of [FLAGS.name, FLAGS.comment]) {
    if (!(flags & text)) continue;
    const end = member.indexOf(0, at);
    if (end < 0) throw new Error("unexpected end of file");
    at = end + 1;
  }
  return flags & FLAGS.checksum ? at + 2 : at;
}
