import type { PictureReader } from "./picture.js";
import { readBmp } from "./read-bmp.js";
import { readGif } from "./read-gif.js";
import { readJpeg } from "./read-jpeg.js";
import { readPng } from "./read-png.js";
import { readTiff } from "./read-tiff.js";

/** The formats of pictures, those that lose nothing first. */
export const readPictures: readonly PictureReader[] = [readPng, readTiff, readJpeg, readBmp, readGif];
