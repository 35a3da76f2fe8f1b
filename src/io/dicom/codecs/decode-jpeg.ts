import { type WasmDecoder, withCodec } from "./with-codec.js";

/**
 * Decodes a JPEG picture of 8 bits; color comes out as RGB, pixel by pixel. `isRgb`: the colors were stored as they are, which many writers say in the header of the
 * file and not in the stream.
 *
 * @throws `Error` with the reason
 * @source ITU-T T.81, processes 1 and 2; T.872, 6.1; libjpeg-turbo
 */
export function decodeJpeg(bytes: Uint8Array, isRgb = false): Uint8Array {
  const stream = isRgb && !namesColor(bytes) ? Buffer.concat([bytes.subarray(0, 2), ADOBE_RGB, bytes.subarray(2)]) : bytes;
  return withCodec("@cornerstonejs/codec-libjpeg-turbo-8bit", "JPEGDecoder", (decoder: WasmDecoder) => {
    decoder.getEncodedBuffer(stream.length).set(stream);
    decoder.decode();
    return decoder.getDecodedBuffer().slice();
  });
}

/** Adobe's marker with the transform 0: without it three colors count as luminance and two differences. */
const ADOBE_RGB = Buffer.from([0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0]);

/** Whether the stream says itself how its colors are stored: by a JFIF or an Adobe marker. */
function namesColor(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    if (bytes[at + 1] === 0xe0 || bytes[at + 1] === 0xee) return true;
    if (bytes[at + 1] === 0xda) return false;
  }
  return false;
}
