import { errorMessage, isVoxError, VoxError } from "../core/errors.js";

/** Errors that already carry their stage and item: stages further down pass them on unchanged. */
const named = new WeakSet<object>();

/** `ERR_STAGE` with stage, item and cause. An error of our own keeps its code and its message; the item is added when it lacks one. */
export function stageError(error: unknown, stage: string, item?: string): VoxError {
  if (isVoxError(error)) {
    if (named.has(error) || error.sampleId !== undefined || item === undefined) return mark(error);
    const sentence = error.message.startsWith(`${error.where}: `) ? error.message.slice(error.where.length + 2) : error.message;
    return mark(new VoxError(sentence, { code: error.code, where: error.where, sampleId: item, cause: error }));
  }
  return mark(
    new VoxError(errorMessage(error), { code: "ERR_STAGE", where: stage, cause: error, ...(item === undefined ? {} : { sampleId: item }) }),
  );
}

function mark(error: VoxError): VoxError {
  named.add(error);
  return error;
}
