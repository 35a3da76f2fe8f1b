import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { streamingZlib } from "../../src/io/gunzip-pieces.js";
import { eachStoredPiece } from "../../src/io/stored-bytes.js";
import { scratchFolder } from "./scratch-folder.js";

const zlib = streamingZlib();

describe.skipIf(!zlib)("streaming decompression", () => {
  const { put } = scratchFolder();

  it("gives any part of any file in pieces, whatever the members", () => {
    fc.assert(
      fc.property(
        fc.record({
          length: fc.integer({ min: 1, max: 60000 }),
          cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
          noise: fc.integer({ min: 1, max: 255 }),
          level: fc.integer({ min: 0, max: 9 }),
          offset: fc.integer({ min: 0, max: 3000 }),
          pieceBytes: fc.integer({ min: 1, max: 20000 }),
        }),
        ({ length, cuts, noise, level, offset, pieceBytes }) => {
          const plain = Buffer.from(Uint8Array.from({ length: offset + length }, (_, n) => (Math.imul(n, 2654435761) >>> 16) % noise));
          const ends = [...cuts.map((cut) => Math.floor(cut * plain.length)), plain.length].sort((a, b) => a - b);
          const members = ends.map((end, n) => gzipSync(plain.subarray(ends[n - 1] ?? 0, end), { level }));
          const path = put("any.gz", Buffer.concat(members));
          const pieces: Buffer[] = [];
          eachStoredPiece(path, { compressed: true, offset, length, pieceBytes }, (piece) => pieces.push(Buffer.from(piece)));
          expect(Buffer.concat(pieces).equals(plain.subarray(offset))).toBe(true);
          expect(pieces.slice(0, -1).every((piece) => piece.length === pieceBytes)).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("holds no file open after an error", () => {
    const path = put("throws.gz", gzipSync(Buffer.alloc(5000)));
    for (let n = 0; n < 3000; n++) {
      expect(() =>
        eachStoredPiece(path, { compressed: true, offset: 0, length: 5000, pieceBytes: 1000 }, () => {
          throw new Error("stop");
        }),
      ).toThrow("stop");
    }
  });

  it("the addon refuses what is no open decompressor or no memory", () => {
    const { inflateOpen, inflateRun, inflateNext, inflateClose } = zlib!;
    const progress = new Float64Array(3);
    const bytes = new Uint8Array(16);
    expect(() => inflateRun({}, bytes, bytes, progress)).toThrow("argument 0 must be an open inflater");
    expect(() => inflateNext(undefined)).toThrow("argument 0 must be an open inflater");
    const inflater = inflateOpen();
    expect(() => inflateRun(inflater, new Uint16Array(4) as unknown as Uint8Array, bytes, progress)).toThrow("1-byte elements");
    expect(() => inflateRun(inflater, bytes, bytes, new Float64Array(2))).toThrow("at least 3");
    expect(() => inflateRun(inflater, bytes.fill(7), bytes, progress)).toThrow("incorrect header check");
    inflateClose(inflater);
    expect(() => inflateRun(inflater, bytes, bytes, progress)).toThrow("argument 0 must be an open inflater");
    expect(() => inflateClose(inflater)).toThrow("argument 0 must be an open inflater");
  });
});
