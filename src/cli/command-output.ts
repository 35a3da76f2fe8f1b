import { errorToWire } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { launchedRanks } from "../training/ranks/launched-ranks.js";
import { isSharedError } from "../training/ranks/together.js";

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
}

/** Where a command's words go: the result on stdout (JSON with `--json`, else text), progress and logs on stderr. */
export interface CommandOutput {
  /** Progress and remarks for people. */
  note(text: string): void;
  /** The result, once. */
  result(json: Json, text: string): void;
}

export function commandOutput({ json = false }: CommonOptions): CommandOutput {
  // Of several ranks, the first speaks.
  if (launchedRanks().rank > 0) return { note: () => {}, result: () => {} };
  return {
    note: (text) => void process.stderr.write(`${text}\n`),
    result: (value, text) => void process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`),
  };
}

/** Reports a failed command: one line for people on stderr, and with `--json` an object on stdout. */
export function reportFailure(error: unknown, { json = false }: CommonOptions): void {
  if (launchedRanks().rank > 0 && isSharedError(error)) return;
  const { message, code, sampleId } = errorToWire(error);
  // A progress line may be open.
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
  process.stderr.write(`voxstream: ${message}${code ? ` [${code}]` : ""}\n`);
  if (process.env.VOXSTREAM_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ error: { message, code: code ?? null, sampleId: sampleId ?? null } })}\n`);
}
