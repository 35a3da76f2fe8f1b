import type { Shape4 } from "../core/shape.js";
import { openCaseStore } from "./open-case-store.js";

export interface CachedCase {
  readonly key: string;
  /** Case id when it was made. */
  readonly id: string;
  /** The operators that made it. */
  readonly made: string;
  readonly shape: Shape4;
  /** How image voxels are kept, and the most by which one may differ from what the operators made. */
  readonly image: "float32" | "int16" | "float16";
  readonly error: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly used: number;
}

/**
 * The cases of a cache, by id.
 *
 * @throws `ERR_CACHE`
 */
export function listCache(folder: string): CachedCase[] {
  return [...openCaseStore(folder).cases()]
    .map(
      ({ key, record, used }): CachedCase => ({
        key,
        id: record.id,
        made: record.made,
        shape: record.image.shape,
        image: record.image.encoding?.form ?? "float32",
        error: Math.max(0, ...(record.image.encoding?.error ?? [])),
        bytes: record.bytes,
        created: record.created,
        used,
      }),
    )
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.created - b.created));
}
