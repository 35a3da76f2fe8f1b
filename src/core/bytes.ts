import { requireOption } from "./errors.js";

const UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 } as const;

/** Bytes from `"4GB"`, `"512 MB"` or a plain number; units are powers of 1024. */
export function parseBytes(value: number | string, where: string, option: string): number {
  if (typeof value === "number") {
    requireOption(Number.isFinite(value) && value > 0, where, option, "a positive number of bytes", value);
    return Math.floor(value);
  }
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?b)\s*$/i.exec(value);
  requireOption(match !== null, where, option, 'a size such as "4GB" or "512MB"', value);
  const bytes = Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase() as keyof typeof UNITS]);
  requireOption(bytes > 0, where, option, "at least one byte", value);
  return bytes;
}

/** `1.5 GB`, for people. */
export function formatBytes(bytes: number): string {
  for (const unit of ["tb", "gb", "mb", "kb"] as const) {
    if (bytes >= UNITS[unit]) return `${(bytes / UNITS[unit]).toFixed(bytes / UNITS[unit] >= 100 ? 0 : 1)} ${unit.toUpperCase()}`;
  }
  return `${bytes} B`;
}
