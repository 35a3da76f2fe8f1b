import { type WasmDecoder, withCodec } from "./with-codec.js";

interface JpegLsDecoder extends WasmDecoder {
  getInterleaveMode(): number;
}

/**
 * Decodes a JPEG-LS picture; colors come out plane by plane or pixel by pixel, as they lie in the stream.
 *
 * @throws `Error` with the reason
 * @source ITU-T T.87; CharLS
 */
export function decodeJpegLs(bytes: Uint8Array): { readonly samples: Uint8Array; readonly isPlanar: boolean } {
  return withCodec("@cornerstonejs/codec-charls", "JpegLSDecoder", (decoder: JpegLsDecoder) => {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    return { samples: decoder.getDecodedBuffer().slice(), isPlanar: decoder.getInterleaveMode() === 0 };
  });
}
