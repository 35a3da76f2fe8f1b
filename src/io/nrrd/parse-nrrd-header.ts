import { VoxError } from "../../core/errors.js";
import type { StoredDtype } from "../../kernels/decode/reference.js";

/** The fields of an NRRD header that matter for voxels and their place. */
export interface NrrdHeader {
  readonly dtype: StoredDtype;
  readonly littleEndian: boolean;
  readonly encoding: "raw" | "gzip";
  /** Extents of all axes, the fastest first. */
  readonly sizes: readonly number[];
  /** Axes of space, the fastest first. */
  readonly spatial: readonly number[];
  /** The one axis that is none of space. */
  readonly channelAxis: number | undefined;
  /** One step along each axis of space, in the coordinates of the file; absent when the file has none. */
  readonly directions?: readonly (readonly number[])[];
  readonly spacings: readonly number[];
  readonly origin: readonly number[];
  /** What the three coordinates grow to: 1 for right, anterior, superior. */
  readonly signs: readonly [number, number, number];
  /** The file of the voxels as it is named; absent when they follow the header. */
  readonly dataFile?: string;
  readonly lineSkip: number;
  /** -1: the voxels are the last bytes of the file. */
  readonly byteSkip: number;
}

/** All names that the standard gives types. */
const TYPES: readonly (readonly [StoredDtype, string])[] = [
  ["int8", "signed char|int8|int8_t"],
  ["uint8", "uchar|unsigned char|uint8|uint8_t"],
  ["int16", "short|short int|signed short|signed short int|int16|int16_t"],
  ["uint16", "ushort|unsigned short|unsigned short int|uint16|uint16_t"],
  ["int32", "int|signed int|int32|int32_t"],
  ["uint32", "uint|unsigned int|uint32|uint32_t"],
  ["int64", "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t"],
  ["uint64", "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t"],
  ["float32", "float"],
  ["float64", "double"],
];

const SIGNS: Readonly<Record<string, readonly [number, number, number]>> = {
  "right-anterior-superior": [1, 1, 1],
  ras: [1, 1, 1],
  "left-anterior-superior": [-1, 1, 1],
  las: [-1, 1, 1],
};

/**
 * The header of an NRRD file: the text in front of the first empty line, or all of a detached header.
 *
 * @throws `ERR_HEADER` naming the field, its rule and its value; `ERR_FORMAT` for encodings and layouts that are not read
 * @source "Definition of NRRD File Format" (teem.sourceforge.net/nrrd/format.html); ITK's NrrdImageIO where a place is left open
 */
export function parseNrrdHeader(text: string, path: string): NrrdHeader {
  const fields = fieldsOf(text);
  const fail = (field: string, rule: string, code: "ERR_HEADER" | "ERR_FORMAT" = "ERR_HEADER"): never => {
    throw new VoxError(`${field} must be ${rule}, got ${fields.get(field) === undefined ? "none" : JSON.stringify(fields.get(field))}`, {
      code,
      where: path,
    });
  };
  const dimension = Number(fields.get("dimension"));
  if (!(Number.isInteger(dimension) && dimension >= 2 && dimension <= 4)) fail("dimension", "2, 3 or 4");
  const sizes = numbers(fields.get("sizes"));
  if (sizes.length !== dimension || !sizes.every((size) => Number.isInteger(size) && size >= 1)) fail("sizes", `${dimension} integers of at least 1`);
  const type = (fields.get("type") ?? "").toLowerCase().split(/\s+/).join(" ");
  const dtype = TYPES.find(([, names]) => names.split("|").includes(type))?.[0] ?? fail("type", "an integer or float type of 8 to 64 bits");
  const encoding = encodingOf(fields.get("encoding")) ?? fail("encoding", "raw or gzip", "ERR_FORMAT");
  const endian = fields.get("endian")?.toLowerCase();
  const isByte = dtype === "int8" || dtype === "uint8";
  if (!isByte && endian !== "little" && endian !== "big") fail("endian", '"little" or "big"');
  const dataFile = fields.get("data file") ?? fields.get("datafile");
  if (dataFile !== undefined && (/^LIST\b/.test(dataFile) || /%\d*d/.test(dataFile))) {
    throw new VoxError(`data file must be one file, got ${JSON.stringify(dataFile)}; join the slices first`, { code: "ERR_FORMAT", where: path });
  }
  const skip = (field: string, least: number): number => {
    const value = fields.get(field) === undefined ? 0 : Number(fields.get(field));
    return Number.isInteger(value) && value >= least ? value : fail(field, `an integer of at least ${least}`);
  };
  const byteSkip = skip(fields.has("byteskip") ? "byteskip" : "byte skip", encoding === "raw" ? -1 : 0);
  const lineSkip = skip(fields.has("lineskip") ? "lineskip" : "line skip", 0);

  const space = fields.get("space")?.toLowerCase();
  if (space?.endsWith("-time")) fail("space", "one without time", "ERR_FORMAT");
  const vectors = fields.get("space directions") === undefined ? undefined : vectorsOf(fields.get("space directions")!);
  if (vectors && (vectors.length !== dimension || vectors.some((vector) => vector && (vector.length < 2 || vector.length > 3)))) {
    fail("space directions", `${dimension} vectors of 2 or 3 numbers, or "none"`);
  }
  const kinds = (fields.get("kinds") ?? "").split(/\s+/).filter(Boolean);
  const { spatial, channelAxis } = axesOf(dimension, vectors, kinds) ?? fail("kinds", "2 or 3 axes of space and at most one other");
  const spacings = numbers(fields.get("spacings"));
  if (fields.has("spacings") && spacings.length !== dimension) fail("spacings", `${dimension} numbers`);
  const origin = fields.get("space origin") === undefined ? [] : (vectorsOf(fields.get("space origin")!)[0] ?? fail("space origin", "a vector"));
  return {
    dtype,
    littleEndian: isByte || endian === "little",
    encoding,
    sizes,
    spatial,
    channelAxis,
    ...(vectors && { directions: spatial.map((axis) => vectors[axis]!) }),
    spacings: spatial.map((axis) => spacings[axis] ?? 1).map((spacing) => (Number.isNaN(spacing) ? 1 : spacing)),
    origin,
    signs: (space !== undefined && SIGNS[space]) || [-1, -1, 1],
    ...(dataFile !== undefined && { dataFile }),
    lineSkip,
    byteSkip,
  };
}

/** `field: value` lines; comments and `key:=value` pairs are no fields. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/).slice(1)) {
    const match = /^([^:#]+): (.*)$/.exec(line);
    if (match) fields.set(match[1]!.trim().toLowerCase(), match[2]!.trim());
  }
  return fields;
}

function encodingOf(name: string | undefined): "raw" | "gzip" | undefined {
  if (name?.toLowerCase() === "raw") return "raw";
  return name !== undefined && ["gz", "gzip"].includes(name.toLowerCase()) ? "gzip" : undefined;
}

function numbers(text: string | undefined): number[] {
  return (text ?? "").split(/\s+/).filter(Boolean).map(Number);
}

/** `none (1,0,0) (0,1,0)`; undefined stands for none. */
function vectorsOf(text: string): (number[] | undefined)[] {
  return [...text.matchAll(/\(([^()]*)\)|none/gi)].map(([, inside]) => inside?.split(",").map(Number));
}

/** Which axes are of space: those with a direction, else those that no kind makes something else; a fourth axis without a kind counts channels. */
function axesOf(
  dimension: number,
  vectors: readonly (number[] | undefined)[] | undefined,
  kinds: readonly string[],
): { readonly spatial: readonly number[]; readonly channelAxis: number | undefined } | undefined {
  const isSpatial = (axis: number): boolean => {
    if (vectors) return vectors[axis] !== undefined;
    return kinds[axis] === undefined || /^(domain|space|none|\?+)$/i.test(kinds[axis]!);
  };
  const all = Array.from({ length: dimension }, (_, axis) => axis);
  const spatial = all.filter(isSpatial);
  if (spatial.length === 4) return { spatial: [0, 1, 2], channelAxis: 3 };
  if (spatial.length < 2 || dimension - spatial.length > 1) return undefined;
  return { spatial, channelAxis: all.find((axis) => !spatial.includes(axis)) };
}
