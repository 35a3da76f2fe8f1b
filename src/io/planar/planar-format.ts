import { isVoxError, VoxError } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import { decodeVoxels } from "../../kernels/decode/decode-voxels.js";
import { type DecodePlan, DecodeReport, type DecodeTarget, STORED_BYTES } from "../../kernels/decode/reference.js";
import { affineOf } from "../affine-of.js";
import { placedHeader } from "../placed-header.js";
import { readError } from "../read-error.js";
import { inStoredOrder, planIndex } from "../read-stored-voxels.js";
import type { ReadHeaderOptions, VolumeFormat, VolumeHeader } from "../volume-format.js";
import { mergeBands, withoutExtra } from "./merge-bands.js";
import type { Picture, PictureReader } from "./picture.js";

/** A format of pictures as a format of volumes: depth 1, or a stack of slices; rows run to the left of the body and columns to the back, as ITK has it. */
export function planarFormat(reader: PictureReader): VolumeFormat {
  const { name, extensions, title, isLossy } = reader;
  return {
    name,
    extensions,
    isPlanar: true,
    matches: (firstBytes) => reader.matches(firstBytes),
    readHeader: async (path, options = {}) => {
      if (isLossy && options.role === "label") {
        throw new VoxError(`a label map must be stored without loss, as PNG or TIFF, got ${title}`, { code: "ERR_FORMAT", where: path });
      }
      return opened(reader, path, options.role === "label", (picture) => headerOf(picture, name, path, options));
    },
    read: (header, target, plan, isStopped) =>
      opened(reader, header.path, header.encoding.keepsIndices === true, (picture) => readPicture(picture, header, target, plan, isStopped)),
    ...(reader.write && { write: reader.write }),
  };
}

function opened<T>(reader: PictureReader, path: string, keepsIndices: boolean, use: (picture: Picture) => T): T {
  let picture: Picture | undefined;
  try {
    picture = reader.open(path, keepsIndices);
    return use(picture);
  } catch (error) {
    throw isVoxError(error) ? error : readError(path, error);
  } finally {
    picture?.close?.();
  }
}

function headerOf(
  picture: Picture,
  format: string,
  path: string,
  { role = "image", channels: declared, gray, spacing: given }: ReadHeaderOptions,
): VolumeHeader {
  const { width, height, depth, pageChannels, bands, dtype, littleEndian } = picture;
  const isColor = bands === 3;
  const merge = isColor && gray && role === "image" ? "brightness" : isColor && declared === 1 ? "equal" : undefined;
  const own = merge ? 1 : bands * pageChannels;
  const repeat = own === 1 && declared === 3 && role === "image" ? 3 : undefined;
  const channels = repeat ?? own;
  const [z, y, x]: Triple = given ?? picture.spacing ?? [1, 1, 1];
  const affine = affineOf([[x], [0, y], [0, 0, z]], []);
  const extents = [width, height, depth] as const;
  const header = placedHeader({
    grid: { format, path, shape: extents, dimensions: depth === 1 ? 2 : 3, affine, header: null },
    channels,
    dtype,
    storedBytes: width * height * depth * pageChannels * (bands + picture.extra) * STORED_BYTES[dtype],
    littleEndian,
    encoding: {
      compressed: true,
      voxelOffset: 0,
      ...(merge && { merge }),
      ...(repeat && { repeat }),
      ...(role === "label" && { keepsIndices: true }),
    },
  });
  return given === undefined && picture.spacing === undefined ? { ...header, isUnscaled: true } : header;
}

function readPicture(picture: Picture, header: VolumeHeader, target: DecodeTarget, plan: DecodePlan, isStopped?: () => boolean): DecodeReport {
  const { path, encoding } = header;
  const { merge, repeat } = encoding;
  const { width, height, depth, pageChannels, bands, extra } = picture;
  const [ni, nj, nk, nc] = plan.shape;
  const own = merge ? 1 : bands * pageChannels;
  if (width !== ni || height !== nj || depth !== nk || (repeat ?? own) !== nc || picture.dtype !== plan.dtype) {
    throw new VoxError("the file must stay as it is while it is read, got another picture", { code: "ERR_READ", where: path });
  }
  const report = new DecodeReport();
  const perPage = merge ? 1 : bands;
  const pixels = ni * nj;
  for (let n = 0; n < depth * pageChannels; n++) {
    const stored = withoutExtra(picture.page(n), bands, extra, STORED_BYTES[picture.dtype]);
    const { bytes, ...type } = merge ? mergeBands(stored, picture, merge, path, encoding.keepsIndices) : { bytes: stored };
    const c = (n % pageChannels) * perPage;
    const k = Math.floor(n / pageChannels);
    for (let copy = 0; copy < (repeat ?? 1); copy++) {
      // One page is a volume of one slice, with its channels in front of the pixels.
      const offset = plan.offset + k * plan.strides[2] + (c + copy) * plan.strides[3];
      const page: DecodePlan = { ...plan, ...type, shape: [ni, nj, 1, perPage], offset };
      const own = new DecodeReport();
      decodeVoxels(inStoredOrder(page, 0), bytes, 0, target, own);
      report.add(own, (index) => {
        const within = planIndex(index, page.shape, 0);
        return (within % pixels) + pixels * (k + nk * (c + copy + Math.floor(within / pixels)));
      });
    }
    if (isStopped?.()) throw new VoxError("the reading was stopped", { code: "ERR_STOPPED", where: path });
  }
  return report;
}
