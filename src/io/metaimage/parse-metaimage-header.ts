import { VoxError } from "../../core/errors.js";
import type { StoredDtype } from "../../kernels/decode/reference.js";

/** The fields of a MetaImage header that matter for voxels and their place. */
export interface MetaimageHeader {
  readonly dtype: StoredDtype;
  readonly littleEndian: boolean;
  readonly isCompressed: boolean;
  /** Extents, the fastest axis first: 2 to 4. */
  readonly dimSize: readonly number[];
  /** Interleaved channels of each voxel. */
  readonly channels: number;
  readonly spacing: readonly number[];
  /** The direction of each axis. */
  readonly directions: readonly (readonly number[])[];
  readonly offset: readonly number[];
  /** The file of the voxels as it is named; absent when they follow the header. */
  readonly dataFile?: string;
  /** Bytes in front of the voxels; -1: the voxels are the last bytes of the file. */
  readonly headerSize: number;
}

const TYPES: Readonly<Record<string, StoredDtype>> = {
  MET_CHAR: "int8",
  MET_UCHAR: "uint8",
  MET_SHORT: "int16",
  MET_USHORT: "uint16",
  MET_INT: "int32",
  MET_UINT: "uint32",
  // Four bytes in MetaIO, whatever the machine.
  MET_LONG: "int32",
  MET_ULONG: "uint32",
  MET_LONG_LONG: "int64",
  MET_ULONG_LONG: "uint64",
  MET_FLOAT: "float32",
  MET_DOUBLE: "float64",
};

/**
 * The header of a MetaImage file: lines `Field = value`, the last of which is `ElementDataFile`.
 *
 * @throws `ERR_HEADER` naming the field, its rule and its value; `ERR_FORMAT` for layouts that are not read
 * @source ITK's MetaIO (metaImage.cxx, metaTypes.h) and itkMetaImageIO
 */
export function parseMetaimageHeader(text: string, path: string): MetaimageHeader {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf("=");
    if (at > 0) fields.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  const first = (...names: readonly string[]): string | undefined =>
    names.map((name) => fields.get(name.toLowerCase())).find((value) => value !== undefined);
  const fail = (field: string, rule: string, code: "ERR_HEADER" | "ERR_FORMAT" = "ERR_HEADER"): never => {
    const value = first(field);
    throw new VoxError(`${field} must be ${rule}, got ${value === undefined ? "none" : JSON.stringify(value)}`, { code, where: path });
  };
  const isTrue = (...names: readonly string[]): boolean => /^(true|t|1|yes)$/i.test(first(...names) ?? "");
  const axes = Number(first("NDims"));
  if (!(axes >= 2 && axes <= 4 && Number.isInteger(axes))) fail("NDims", "2, 3 or 4");
  const dimSize = numbers(first("DimSize"));
  if (dimSize.length !== axes || !dimSize.every((size) => Number.isInteger(size) && size >= 1)) fail("DimSize", `${axes} integers of at least 1`);
  const dtype = TYPES[(first("ElementType") ?? "").toUpperCase()] ?? fail("ElementType", `one of ${Object.keys(TYPES).join(", ")}`);
  if (first("BinaryData") !== undefined && !isTrue("BinaryData")) fail("BinaryData", "True", "ERR_FORMAT");
  const channels = first("ElementNumberOfChannels") === undefined ? 1 : Number(first("ElementNumberOfChannels"));
  if (!(Number.isInteger(channels) && channels >= 1)) fail("ElementNumberOfChannels", "an integer of at least 1");
  if (channels > 1 && axes === 4) fail("NDims", "2 or 3 with several channels", "ERR_FORMAT");
  const spacing = first("ElementSpacing", "ElementSize") === undefined ? dimSize.map(() => 1) : numbers(first("ElementSpacing", "ElementSize"));
  if (spacing.length !== axes || !spacing.every((side) => side > 0 && Number.isFinite(side))) fail("ElementSpacing", `${axes} numbers above 0`);
  const matrix = first("TransformMatrix", "Orientation", "Rotation");
  const entries = matrix === undefined ? undefined : numbers(matrix);
  if (entries && entries.length !== axes * axes) fail("TransformMatrix", `${axes * axes} numbers`);
  const offset = first("Offset", "Position", "Origin") === undefined ? dimSize.map(() => 0) : numbers(first("Offset", "Position", "Origin"));
  if (offset.length !== axes) fail("Offset", `${axes} numbers`);
  const dataFile = first("ElementDataFile") ?? fail("ElementDataFile", "LOCAL or a file");
  if (/^LIST\b/i.test(dataFile) || /%\d*d/.test(dataFile)) {
    throw new VoxError(`ElementDataFile must be LOCAL or one file, got ${JSON.stringify(dataFile)}; join the slices first`, {
      code: "ERR_FORMAT",
      where: path,
    });
  }
  const headerSize = first("HeaderSize") === undefined ? 0 : Number(first("HeaderSize"));
  if (!(Number.isInteger(headerSize) && headerSize >= -1)) fail("HeaderSize", "an integer of at least -1");
  return {
    dtype,
    littleEndian: !isTrue("BinaryDataByteOrderMSB", "ElementByteOrderMSB"),
    isCompressed: isTrue("CompressedData"),
    dimSize,
    channels,
    spacing,
    directions: dimSize.map((_, axis) => dimSize.map((__, row) => entries?.[axis * axes + row] ?? (row === axis ? 1 : 0))),
    offset,
    ...(/^LOCAL$/i.test(dataFile) ? {} : { dataFile }),
    headerSize,
  };
}

function numbers(text: string | undefined): number[] {
  return (text ?? "").split(/\s+/).filter(Boolean).map(Number);
}
