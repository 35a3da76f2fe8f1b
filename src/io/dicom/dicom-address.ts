import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { errorMessage, isVoxError, VoxError } from "../../core/errors.js";
import type { SeriesChoice } from "./dicom-series.js";

/** A series: a folder (or one file of many frames), and which of its series. */
export interface SeriesAddress {
  readonly path: string;
  readonly series?: SeriesChoice;
  /** What voxels become whose stored value stands for no measurement: the smallest value of the others (default), or what is stored. */
  readonly padding?: "minimum" | "keep";
}

/** Structures or segments of one file, as a label map on the grid of a series. */
export interface LabelAddress {
  readonly path: string;
  readonly of: SeriesAddress;
  /** Label of each structure, by its name. */
  readonly structures: Readonly<Record<string, number>>;
  /** What a structure that the file lacks is: an error (default), or background. */
  readonly missing?: "fail" | "background";
}

interface WireSeries {
  readonly path: string;
  readonly series?: string | readonly [source: string, flags: string];
  readonly padding?: "minimum" | "keep";
}

const MARK = /^(.+?)#dicom(=\{.*\})?$/s;

/** Whether a path is an address of DICOM data. */
export function isDicomAddress(path: string): boolean {
  return MARK.test(path);
}

/**
 * An address as the path of a case: paths are all that lists of cases, workers and evaluation know of a volume, and what else its reader must know follows
 * behind `#dicom=`. A folder of one series is its own address.
 */
export function dicomAddress(address: SeriesAddress | LabelAddress): string {
  if ("of" in address) {
    const { path, of, structures, missing } = address;
    // Seen from the label, so that a data set that moves keeps its addresses.
    const series = { ...toWire(of), path: relative(resolve(dirname(path)), resolve(of.path)) };
    return `${path}#dicom=${JSON.stringify({ of: series, structures, ...(missing && { missing }) })}`;
  }
  const { path, ...options } = toWire(address);
  return Object.keys(options).length === 0 ? `${path}#dicom` : `${path}#dicom=${JSON.stringify(options)}`;
}

/**
 * The address that a path of a case is.
 *
 * @throws `ERR_DATA` for options that are none
 */
export function parseDicomAddress(path: string): SeriesAddress | LabelAddress {
  const found = MARK.exec(path);
  if (!found) return { path };
  const options = wireOptions(path, found[2]?.slice(1) ?? "{}");
  const { of, structures, missing, series, padding } = options;
  if (of) {
    const series = fromWire({ ...of, path: isAbsolute(of.path) ? of.path : join(dirname(found[1]!), of.path) });
    return { path: found[1]!, of: series, structures, ...(missing && { missing }) };
  }
  return fromWire({ path: found[1]!, ...(series !== undefined && { series }), ...(padding && { padding }) });
}

const OPTIONS = ["series", "padding", "of", "structures", "missing"];

/** Addresses may be written by hand. */
function wireOptions(path: string, text: string): Omit<WireSeries, "path"> & { readonly of?: WireSeries } & Omit<LabelAddress, "of"> {
  const fail = (got: string, cause?: unknown): VoxError =>
    new VoxError(`the address must end in #dicom, or in #dicom= and an object of ${OPTIONS.join(", ")}, got ${got}`, {
      code: "ERR_DATA",
      where: path,
      cause,
    });
  try {
    const options = JSON.parse(text) as ReturnType<typeof wireOptions>;
    const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
    if (unknown !== undefined) throw fail(unknown);
    return options;
  } catch (error) {
    throw isVoxError(error) ? error : fail(errorMessage(error), error);
  }
}

/** What an address says beyond its path: part of what a volume is. */
export function addressOptions(path: string): string {
  return MARK.exec(path)?.[2] ?? "";
}

function toWire({ path, series, padding }: SeriesAddress): WireSeries {
  return {
    path,
    ...(series !== undefined && { series: typeof series === "string" ? series : ([series.source, series.flags] as const) }),
    ...(padding !== undefined && { padding }),
  };
}

function fromWire({ path, series, padding }: WireSeries): SeriesAddress {
  return {
    path,
    ...(series !== undefined && { series: typeof series === "string" ? series : new RegExp(series[0], series[1]) }),
    ...(padding !== undefined && { padding }),
  };
}
