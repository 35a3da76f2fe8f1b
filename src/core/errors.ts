import { ERROR_CODES, type ErrorCode } from "./error-codes.js";

export interface VoxErrorOptions {
  readonly code: ErrorCode;
  /** The operator, function, option group or file that found the fault. */
  readonly where: string;
  readonly sampleId?: string;
  readonly cause?: unknown;
}

/** The one error class: `<where>: <thing> must be <rule>, got <value> (sample <id>)`. */
export class VoxError extends Error {
  readonly code: ErrorCode;
  readonly where: string;
  readonly sampleId: string | undefined;

  constructor(sentence: string, { code, where, sampleId, cause }: VoxErrorOptions) {
    super(`${where}: ${sentence}${sampleId === undefined ? "" : ` (sample ${sampleId})`}`, cause === undefined ? undefined : { cause });
    this.name = "VoxError";
    this.code = code;
    this.where = where;
    this.sampleId = sampleId;
  }
}

/** Whether an error is one of Voxstream's, with a `code` from docs/errors.md. */
export function isVoxError(error: unknown): error is VoxError {
  return error instanceof VoxError;
}

/** `where: option must be rule, got value`, thrown when an operator or function is built with an option outside its rule. */
export function requireOption(holds: boolean, where: string, option: string, rule: string, value: unknown): asserts holds {
  if (!holds) throw new VoxError(`${option} must be ${rule}, got ${describe(value)}`, { code: "ERR_OPTION", where });
}

/** A short, unambiguous rendering of a value for messages. */
export function describe(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint" || value === undefined) return String(value);
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  try {
    const text = JSON.stringify(value);
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
  } catch {
    return String(value);
  }
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error as plain data: structured cloning between threads keeps the message but drops class and code. */
export interface WireError {
  readonly message: string;
  readonly code: string | undefined;
  readonly where: string | undefined;
  readonly sampleId: string | undefined;
  readonly stack: string | undefined;
  /** Code of the system's error behind it, such as EIO. */
  readonly system?: string;
}

export function errorToWire(error: unknown): WireError {
  const known = isVoxError(error) ? error : undefined;
  return {
    message: errorMessage(error),
    code: known?.code ?? (error as { code?: string } | undefined)?.code,
    where: known?.where,
    sampleId: known?.sampleId,
    stack: error instanceof Error ? error.stack : undefined,
    ...systemCode(known?.cause),
  };
}

function systemCode(cause: unknown): { readonly system?: string } {
  if (cause === undefined || cause === null) return {};
  const { code, cause: deeper } = cause as { readonly code?: unknown; readonly cause?: unknown };
  if (typeof code === "string" && !isVoxError(cause)) return { system: code };
  return deeper === cause ? {} : systemCode(deeper);
}

export function errorFromWire(wire: WireError): Error {
  const isKnown = (ERROR_CODES as readonly string[]).includes(wire.code ?? "");
  const error = isKnown
    ? new VoxError("", {
        code: wire.code as ErrorCode,
        where: wire.where ?? "",
        ...(wire.sampleId === undefined ? {} : { sampleId: wire.sampleId }),
        ...(wire.system === undefined ? {} : { cause: Object.assign(new Error(wire.system), { code: wire.system }) }),
      })
    : new Error(wire.message);
  error.message = wire.message;
  // Such as ENOENT of a system error.
  if (!isKnown && wire.code !== undefined) Object.assign(error, { code: wire.code });
  if (wire.stack) error.stack = wire.stack;
  return error;
}
