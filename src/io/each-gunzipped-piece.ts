import { closeSync, openSync, readSync } from "node:fs";
import { VoxError } from "../core/errors.js";
import { type NativeAddon, native } from "../kernels/native.js";
import type { StoredBytesOptions } from "./each-stored-piece.js";
import { gzipError, isGzip } from "./is-gzip.js";
import type { CompressedStream } from "./volume-format.js";

declare module "../kernels/native.js" {
  interface NativeAddon {
    inflateOpen?(isZlib?: boolean): unknown;
    inflateRun?(inflater: unknown, input: Uint8Array, output: Uint8Array, progress: Float64Array): void;
    inflateNext?(inflater: unknown): void;
    inflateClose?(inflater: unknown): void;
  }
}

type Zlib = Required<Pick<NativeAddon, "inflateOpen" | "inflateRun" | "inflateNext" | "inflateClose">>;

/** The streaming decompressor of the addon, when there is one. */
export function streamingZlib(): Zlib | undefined {
  const addon = native();
  return addon?.inflateOpen ? (addon as unknown as Zlib) : undefined;
}

const INPUT_BYTES = 256 * 1024;

/**
 * Decompresses a gzip file, of one member or many, or a zlib stream, into pieces, each only valid during the call; holds one piece and 256 KB of the file.
 * The rest of the file is decompressed too, so that its checksum counts.
 *
 * @source RFC 1950, RFC 1952
 */
export function eachGunzippedPiece(
  zlib: Zlib,
  path: string,
  { offset, length, pieceBytes, stream }: StoredBytesOptions,
  slack: number,
  take: (piece: Uint8Array) => void,
): void {
  const gzip = new CompressedFile(zlib, path, stream);
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(pieceBytes, Math.max(length, offset))));
    for (let skipped = 0; skipped < offset; )
      skipped += gzip.fillOrThrow(buffer.subarray(0, Math.min(buffer.length, offset - skipped)), offset + length);
    for (let done = 0; done < length; ) {
      const piece = buffer.subarray(0, Math.min(pieceBytes, length - done));
      gzip.fillOrThrow(piece, offset + length);
      take(piece);
      done += piece.length;
    }
    for (let extra = 0, count = gzip.fill(buffer); count > 0; count = gzip.fill(buffer)) {
      extra += count;
      if (extra > slack) throw tooLong(path, offset + length, slack);
    }
  } finally {
    gzip.close();
  }
}

export function tooLong(path: string, needed: number, slack: number): VoxError {
  return new VoxError(`the file must hold little more than its ${needed} bytes of header and voxels, got over ${needed + slack} bytes`, {
    code: "ERR_FORMAT",
    where: path,
  });
}

/** The file must hold so many bytes for its header and voxels. */
export function tooShort(path: string, needed: number, there: number): VoxError {
  return new VoxError(`the file must have ${needed} bytes for its header and voxels, got ${there}`, { code: "ERR_TRUNCATED", where: path });
}

class CompressedFile {
  private readonly file: number;
  private readonly inflater: unknown;
  private readonly input = Buffer.allocUnsafeSlow(INPUT_BYTES);
  private readonly progress = new Float64Array(3);
  private position: number;
  private from = 0;
  private to = 0;
  private isAtEnd = false;
  /** Between members there may be an end, or anything that is no member. */
  private isInMember = true;
  private total = 0;

  constructor(
    private readonly zlib: Zlib,
    private readonly path: string,
    private readonly stream: CompressedStream = { start: 0, wrap: "gzip" },
  ) {
    this.file = openSync(path, "r");
    this.position = stream.start;
    this.inflater = zlib.inflateOpen(stream.wrap === "zlib");
  }

  close(): void {
    closeSync(this.file);
    this.zlib.inflateClose(this.inflater);
  }

  /** Fills the whole buffer. */
  fillOrThrow(buffer: Uint8Array, needed: number): number {
    if (this.fill(buffer) < buffer.length) throw tooShort(this.path, needed, this.total);
    return buffer.length;
  }

  /** Fills the buffer as far as there are bytes, and returns how many. */
  fill(buffer: Uint8Array): number {
    let filled = 0;
    while (filled < buffer.length && (this.isInMember || this.enterMember())) {
      if (this.from === this.to) this.refill();
      if (this.from === this.to) throw gzipError(this.path, new Error("unexpected end of file"), this.stream.wrap);
      this.run(buffer.subarray(filled));
      this.from += this.progress[0]!;
      filled += this.progress[1]!;
      if (this.progress[2] === 1) this.isInMember = false;
    }
    this.total += filled;
    return filled;
  }

  private run(output: Uint8Array): void {
    try {
      this.zlib.inflateRun(this.inflater, this.input.subarray(this.from, this.to), output, this.progress);
    } catch (error) {
      throw gzipError(this.path, error, this.stream.wrap);
    }
  }

  /** Whether another member follows; other bytes after the last one are ignored, as gzip does. */
  private enterMember(): boolean {
    if (this.to - this.from < 2) this.refill();
    if (this.stream.wrap === "zlib" || !isGzip(this.input.subarray(this.from, this.to))) return false;
    this.zlib.inflateNext(this.inflater);
    this.isInMember = true;
    return true;
  }

  /** Reads more behind what is left. */
  private refill(): void {
    if (this.isAtEnd) return;
    this.input.copyWithin(0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
    const count = readSync(this.file, this.input, this.to, this.input.length - this.to, this.position);
    this.position += count;
    this.to += count;
    this.isAtEnd = count === 0;
  }
}
