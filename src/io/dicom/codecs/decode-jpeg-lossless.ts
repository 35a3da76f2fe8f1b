import { createRequire } from "node:module";

interface JpegLossless {
  readonly Decoder: new () => { decompress(buffer: ArrayBufferLike, offset: number, length: number): ArrayBuffer };
}

const load = createRequire(import.meta.url);

/**
 * Decodes a lossless JPEG picture of up to 16 bits, all seven predictors; color comes out pixel by pixel.
 *
 * @throws `Error` with the reason
 * @source ITU-T T.81, process 14
 */
export function decodeJpegLossless(bytes: Uint8Array): Uint8Array {
  const { Decoder } = load("jpeg-lossless-decoder-js") as JpegLossless;
  // The decoder takes a buffer from its start; slice() of a Buffer would be no copy.
  const own = new Uint8Array(bytes);
  return new Uint8Array(new Decoder().decompress(own.buffer, 0, own.length));
}
