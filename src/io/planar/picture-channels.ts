import { STORED_BYTES } from "../../kernels/decode/reference.js";
import { formatOf } from "../formats.js";
import { mergeBands, withoutExtra } from "./merge-bands.js";
import type { Picture } from "./picture.js";
import { readPictures } from "./read-pictures.js";

/**
 * Channels of a picture, synchronously: 3 for color, 1 for gray, also where it is stored in three equal bands. Undefined where the file is no picture, or
 * cannot be read.
 */
export function pictureChannels(path: string): number | undefined {
  let picture: Picture | undefined;
  try {
    const { name } = formatOf(path);
    picture = readPictures.find((reader) => reader.name === name)?.open(path, false);
    if (!picture) return undefined;
    const { bands, extra, dtype, pageChannels } = picture;
    if (bands !== 3) return bands * pageChannels;
    mergeBands(withoutExtra(picture.page(0), bands, extra, STORED_BYTES[dtype]), picture, "equal", path);
    return 1;
  } catch {
    // Bands that differ, or a fault that reading it will tell.
    return picture?.bands;
  } finally {
    picture?.close?.();
  }
}
