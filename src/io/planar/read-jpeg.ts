import { errorMessage, VoxError } from "../../core/errors.js";
import { decodeJpeg } from "../dicom/codecs/decode-jpeg.js";
import { fileBytes } from "./file-bytes.js";
import type { Picture, PictureReader } from "./picture.js";

/**
 * JPEG of 8 bits, baseline and progressive, gray and color. Rotation tags and color profiles are not applied.
 *
 * @source ITU-T T.81 Annex B; decoded by libjpeg-turbo
 */
export const readJpeg: PictureReader = {
  name: "jpeg",
  title: "JPEG",
  extensions: [".jpg", ".jpeg"],
  isLossy: true,
  matches: (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff,
  open,
};

/** A block of 64 pixels takes a bit at least; nothing compresses further. */
const MOST_PIXELS_PER_BYTE = 1024;

function open(path: string): Picture {
  const bytes = fileBytes(path);
  const { width, height, components } = frameOf(bytes, path);
  if (width * height > bytes.length * MOST_PIXELS_PER_BYTE) {
    throw new VoxError(`the file must be able to hold ${width} x ${height} pixels, got ${bytes.length} bytes`, {
      code: "ERR_TRUNCATED",
      where: path,
    });
  }
  return {
    width,
    height,
    depth: 1,
    pageChannels: 1,
    bands: components,
    extra: 0,
    dtype: "uint8",
    littleEndian: true,
    page: () => {
      let pixels: Uint8Array;
      try {
        pixels = decodeJpeg(bytes, false);
      } catch (cause) {
        throw new VoxError(`the file must hold a whole JPEG picture, got ${errorMessage(cause)}`, { code: "ERR_FORMAT", where: path, cause });
      }
      if (pixels.length === width * height * components) return pixels;
      throw new VoxError(`the JPEG picture must have ${width * height * components} samples, got ${pixels.length}`, {
        code: "ERR_FORMAT",
        where: path,
      });
    },
  };
}

/** Size and components, from the frame header. */
function frameOf(bytes: Buffer, path: string): { readonly width: number; readonly height: number; readonly components: 1 | 3 } {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    throw new VoxError(`the file must begin as JPEG files do, got first bytes ${bytes.toString("hex", 0, 8)}`, { code: "ERR_FORMAT", where: path });
  }
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [precision, height, width, components] = [bytes[at + 4]!, bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7), bytes[at + 9]!];
      if (marker > 0xc2 || precision !== 8) {
        throw new VoxError(`a JPEG picture must be baseline or progressive with 8 bits, got process ${marker - 0xc0} with ${precision} bits`, {
          code: "ERR_HEADER",
          where: path,
        });
      }
      if (components !== 1 && components !== 3) {
        throw new VoxError(`a JPEG picture must have 1 or 3 components, got ${components} (CMYK?)`, { code: "ERR_HEADER", where: path });
      }
      if (width < 1 || height < 1)
        throw new VoxError(`a JPEG picture must have pixels, got ${width} x ${height}`, { code: "ERR_HEADER", where: path });
      return { width, height, components };
    }
    if (length < 2) break;
    at += 2 + length;
  }
  throw new VoxError("the JPEG file must have a frame header, got none", { code: "ERR_TRUNCATED", where: path });
}
