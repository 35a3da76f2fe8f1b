import { VoxError } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import type { TiffDirectory } from "./tiff-directory.js";

/** Millimeters of the units that ImageJ writes. */
const UNITS: Readonly<Record<string, number>> = {
  mm: 1,
  millimeter: 1,
  cm: 10,
  m: 1000,
  um: 1e-3,
  µm: 1e-3,
  "\\u00b5m": 1e-3,
  micron: 1e-3,
  microns: 1e-3,
  micrometer: 1e-3,
  nm: 1e-6,
  inch: 25.4,
};

const CENTIMETER = 3;

/**
 * The voxel size that a TIFF file tells, and how its pages are channels and slices. A resolution counts where ImageJ names its unit, or where it is given per
 * centimeter; one per inch is what programs write for printers, and is nobody's pixel size.
 *
 * @throws `ERR_FORMAT` for stacks of several times
 * @source TIFF 6.0, section 8; ImageJ's TiffEncoder
 */
export function tiffSpacing(page: TiffDirectory, pages: number, path: string): { readonly spacing?: Triple; readonly channels: number } {
  const description = page.text(270) ?? "";
  const field = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, "m").exec(description)?.[1]?.trim();
  const isImageJ = description.startsWith("ImageJ=");
  if (isImageJ && Number(field("images") ?? pages) > pages) {
    throw new VoxError(`the ImageJ stack must have a page for each of its ${field("images")} images, got ${pages}; save it as BigTIFF`, {
      code: "ERR_FORMAT",
      where: path,
    });
  }
  if (isImageJ && Number(field("frames") ?? 1) > 1) {
    throw new VoxError(`a stack must be of one time, got ${field("frames")} frames; save each as a file of its own`, {
      code: "ERR_FORMAT",
      where: path,
    });
  }
  const named = isImageJ ? Number(field("channels") ?? 1) : 1;
  const channels = Number.isInteger(named) && named > 1 && pages % named === 0 ? named : 1;
  const unit = isImageJ ? UNITS[(field("unit") ?? "").toLowerCase()] : page.numbers(296, [2])[0] === CENTIMETER ? 10 : undefined;
  const [x, y] = [page.numbers(282, [0])[0]!, page.numbers(283, [0])[0]!];
  const apart = Number(field("spacing") ?? 0);
  const isKnown = unit !== undefined && [x, y].every((value) => Number.isFinite(value) && value > 0);
  if (!isKnown) return { channels };
  return { spacing: [isImageJ && apart > 0 ? apart * unit : 1, unit / y, unit / x], channels };
}
