import { type WasmDecoder, withCodec } from "./with-codec.js";

/**
 * Decodes a JPEG 2000 picture, lossless or not; color comes out pixel by pixel.
 *
 * @throws `Error` with the reason
 * @source ITU-T T.800; OpenJPEG
 */
export function decodeJpeg2000(bytes: Uint8Array): Uint8Array {
  return withCodec("@cornerstonejs/codec-openjpeg", "J2KDecoder", (decoder: WasmDecoder) => {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    return decoder.getDecodedBuffer().slice();
  });
}
