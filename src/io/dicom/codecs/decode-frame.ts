import { errorMessage, isVoxError, VoxError } from "../../../core/errors.js";
import type { PixelFormat } from "../dicom-image.js";
import { TRANSFER_SYNTAXES } from "../transfer-syntaxes.js";
import { codestreamSize } from "./codestream-size.js";
import { decodeJpeg } from "./decode-jpeg.js";
import { decodeJpeg2000 } from "./decode-jpeg-2000.js";
import { decodeJpegLossless } from "./decode-jpeg-lossless.js";
import { decodeJpegLs } from "./decode-jpeg-ls.js";
import { decodeRle } from "./decode-rle.js";

/** Samples of one frame, little-endian. */
export interface DecodedFrame {
  readonly bytes: Uint8Array;
  readonly sampleBytes: number;
  /** Colors plane by plane, not pixel by pixel. */
  readonly isPlanar: boolean;
}

/**
 * Decodes one compressed frame.
 *
 * @throws `ERR_FORMAT` when the data are damaged, or another size or depth than the header says
 */
export function decodeFrame(bytes: Uint8Array, syntax: string, format: PixelFormat, path: string): DecodedFrame {
  const { name, codec } = TRANSFER_SYNTAXES[syntax]!;
  const { rows, columns, samples, bitsAllocated } = format;
  const pixels = rows * columns;
  try {
    if (codec === "rle") {
      const sampleBytes = bitsAllocated >> 3;
      return { bytes: decodeRle(bytes, pixels, samples, sampleBytes), sampleBytes, isPlanar: true };
    }
    const size = codestreamSize(bytes);
    if (size?.rows !== rows || size.columns !== columns || size.components !== samples) {
      const got = size ? `${size.columns} x ${size.rows} x ${size.components}` : "none";
      throw new VoxError(`each ${name} frame must have ${columns} x ${rows} x ${samples} samples as the header says, got ${got}`, {
        code: "ERR_FORMAT",
        where: path,
      });
    }
    const { precision } = size;
    const most = codec === "jpeg" ? 8 : 16;
    if (precision > most || precision > bitsAllocated) {
      throw new VoxError(`samples of a ${name} frame must have at most ${Math.min(most, bitsAllocated)} bits, got ${precision}`, {
        code: "ERR_FORMAT",
        where: path,
      });
    }
    const sampleBytes = precision > 8 ? 2 : 1;
    const { samples: decoded, isPlanar } = decode(bytes, codec!, format.photometric === "RGB");
    if (decoded.length !== pixels * samples * sampleBytes) throw new Error(`${decoded.length} bytes instead of ${pixels * samples * sampleBytes}`);
    return { bytes: decoded, sampleBytes, isPlanar };
  } catch (error) {
    if (isVoxError(error)) throw error;
    throw new VoxError(`the ${name} data must be complete and valid, got ${errorMessage(error).slice(0, 200)}`, {
      code: "ERR_FORMAT",
      where: path,
      cause: error,
    });
  }
}

function decode(
  bytes: Uint8Array,
  codec: "jpeg" | "jpegLossless" | "jpegLs" | "jpeg2000",
  isRgb: boolean,
): { readonly samples: Uint8Array; readonly isPlanar: boolean } {
  switch (codec) {
    case "jpeg":
      return { samples: decodeJpeg(bytes, isRgb), isPlanar: false };
    case "jpegLossless":
      return { samples: decodeJpegLossless(bytes), isPlanar: false };
    case "jpeg2000":
      return { samples: decodeJpeg2000(bytes), isPlanar: false };
    case "jpegLs":
      return decodeJpegLs(bytes);
    default:
      return codec satisfies never;
  }
}
