import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { gunzipSync, inflateSync } from "node:zlib";
import { isVoxError } from "../core/errors.js";
import { eachGunzippedPiece, streamingZlib, tooLong, tooShort } from "./each-gunzipped-piece.js";
import { gunzipMembers } from "./gunzip-members.js";
import { gzipError, isTrailingBytes } from "./is-gzip.js";
import { readError } from "./read-error.js";
import type { CompressedStream } from "./volume-format.js";

export interface StoredBytesOptions {
  readonly compressed: boolean;
  /** Where the compressed bytes begin, and how they are wrapped; default: gzip from the first byte on. */
  readonly stream?: CompressedStream;
  /** First wanted byte of the (decompressed) file, and how many from there. */
  readonly offset: number;
  readonly length: number;
  /** Pieces have this size, but for the last one; a multiple of the element size. */
  readonly pieceBytes: number;
}

/** Bytes that may follow the voxels before a compressed file counts as a decompression bomb. */
const SLACK = 64 * 1024 ** 2;
/** Longest array that Node 20 has. */
const MAX_ARRAY = 2 ** 32;

/**
 * Calls `take` with consecutive pieces of a file's (decompressed) bytes; a piece is only valid during the call. Holds one piece; without the addon a
 * compressed file is held twice, as it is and decompressed.
 *
 * @throws `ERR_READ`, `ERR_TRUNCATED`, `ERR_CHECKSUM`, `ERR_FORMAT`
 */
export function eachStoredPiece(path: string, options: StoredBytesOptions, take: (piece: Uint8Array) => void): void {
  try {
    const zlib = options.compressed ? streamingZlib() : undefined;
    if (zlib) eachGunzippedPiece(zlib, path, options, SLACK, take);
    else if (options.compressed) eachOfWhole(path, options, take);
    else eachPlain(path, options, take);
  } catch (error) {
    throw isVoxError(error) ? error : readError(path, error);
  }
}

function eachPlain(path: string, { offset, length, pieceBytes }: StoredBytesOptions, take: (piece: Uint8Array) => void): void {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (size < offset + length) throw tooShort(path, offset + length, size);
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, length));
    for (let done = 0; done < length; ) {
      const wanted = Math.min(piece.length, length - done);
      let filled = 0;
      while (filled < wanted) {
        const count = readSync(file, piece, filled, wanted - filled, offset + done + filled);
        if (count === 0) throw tooShort(path, offset + length, offset + done + filled);
        filled += count;
      }
      take(piece.subarray(0, wanted));
      done += wanted;
    }
  } finally {
    closeSync(file);
  }
}

function eachOfWhole(path: string, { offset, length, pieceBytes, stream }: StoredBytesOptions, take: (piece: Uint8Array) => void): void {
  const all = inflateWhole(path, offset + length, stream);
  if (all.length < offset + length) throw tooShort(path, offset + length, all.length);
  for (let done = 0; done < length; done += pieceBytes) take(all.subarray(offset + done, offset + Math.min(length, done + pieceBytes)));
}

function inflateWhole(path: string, needed: number, { start, wrap }: CompressedStream = { start: 0, wrap: "gzip" }): Uint8Array {
  const compressed = readFileSync(path).subarray(start);
  // One output chunk of about the right size saves the collecting and joining of many.
  const options = { chunkSize: Math.max(64, Math.min(needed + 64, 2 ** 31 - 1)), maxOutputLength: Math.min(needed + SLACK, MAX_ARRAY) };
  try {
    return wrap === "zlib" ? inflateSync(compressed, options) : gunzipSync(compressed, options);
  } catch (error) {
    if (wrap === "gzip") return membersOf(path, compressed, needed, error);
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLong(path, needed, SLACK);
    throw gzipError(path, error, wrap);
  }
}

/** What Node's zlib refuses for bytes behind the last member, which the addon and gzip ignore. */
function membersOf(path: string, compressed: Uint8Array, needed: number, refusal: unknown): Uint8Array {
  let error = refusal;
  if (isTrailingBytes(refusal)) {
    try {
      return gunzipMembers(compressed, Math.min(needed + SLACK, MAX_ARRAY));
    } catch (again) {
      error = again;
    }
  }
  if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLong(path, needed, SLACK);
  throw gzipError(path, error);
}
