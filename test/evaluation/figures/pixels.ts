import { loadImage } from "@napi-rs/canvas";
import { loadCanvas } from "../../../src/evaluation/figures/load-canvas.js";

export interface Picture {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): [red: number, green: number, blue: number];
  /** Pixels of a rectangle for which the test holds. */
  count(
    test: (red: number, green: number, blue: number) => boolean,
    box?: readonly [left: number, top: number, width: number, height: number],
  ): number;
}

/** Decodes a PNG, or the first frame of a GIF. */
export async function decode(bytes: Uint8Array): Promise<Picture> {
  const { createCanvas } = await loadCanvas();
  const image = await loadImage(Buffer.from(bytes));
  const canvas = createCanvas(image.width, image.height);
  const ctx = canvas.getContext("2d");
  ctx.drawImage(image, 0, 0);
  const { data } = ctx.getImageData(0, 0, image.width, image.height);
  const at = (x: number, y: number): [number, number, number] => {
    const i = (y * image.width + x) * 4;
    return [data[i]!, data[i + 1]!, data[i + 2]!];
  };
  return {
    width: image.width,
    height: image.height,
    at,
    count(test, [left, top, width, height] = [0, 0, image.width, image.height]) {
      let found = 0;
      for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) if (test(...at(x, y))) found++;
      return found;
    },
  };
}

/** Frames and delays of a GIF, by walking its blocks. */
export function gifFrames(bytes: Uint8Array): { readonly frames: number; readonly delays: readonly number[]; readonly loops: boolean } {
  let at = 13 + (bytes[10]! & 0x80 ? 3 * 2 ** ((bytes[10]! & 7) + 1) : 0);
  let frames = 0;
  let loops = false;
  const delays: number[] = [];
  const skipBlocks = (): void => {
    while (bytes[at]! > 0) at += bytes[at]! + 1;
    at++;
  };
  while (bytes[at] !== 0x3b) {
    if (bytes[at] === 0x21) {
      if (bytes[at + 1] === 0xf9) delays.push((bytes[at + 4]! | (bytes[at + 5]! << 8)) * 10);
      if (bytes[at + 1] === 0xff) loops = Buffer.from(bytes.subarray(at + 3, at + 14)).toString("latin1") === "NETSCAPE2.0";
      at += 2;
      skipBlocks();
    } else if (bytes[at] === 0x2c) {
      frames++;
      at += 10 + (bytes[at + 9]! & 0x80 ? 3 * 2 ** ((bytes[at + 9]! & 7) + 1) : 0) + 1;
      skipBlocks();
    } else throw new Error(`not a GIF block: ${bytes[at]} at ${at}`);
  }
  return { frames, delays, loops };
}
