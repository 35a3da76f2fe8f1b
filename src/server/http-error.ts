import { VoxError } from "../core/errors.js";

/** A `VoxError` that a route throws to answer with an HTTP status; its sentence goes to the client, so it never holds a path of this machine. */
export function httpError(status: number, where: string, sentence: string): VoxError & { readonly statusCode: number } {
  return Object.assign(new VoxError(sentence, { code: "ERR_SERVER", where }), { statusCode: status });
}
