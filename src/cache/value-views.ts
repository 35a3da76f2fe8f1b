import { createRequire } from "node:module";
import { lendsMemory } from "../kernels/lends-memory/lends-memory.js";
import type { Environment } from "./open-environment.js";

type Database = Environment["database"];
type Key = (string | number)[];

/** Calls `use` with the bytes of a value, which are gone when it returns, and returns what it returns; undefined when there is no such value. */
export type ValueViews = <T>(key: Key, use: (bytes: Uint8Array) => T) => T | undefined;

/** What a database of LMDB's binding has and does not declare. */
interface Inner {
  readonly dbAddress: number;
  writeKey(key: Key, target: Uint8Array, start: number): number;
  ensureReadTxn(): void;
}

interface Binding {
  /** The bytes of a value where they lie in the memory map; its key lies at the start of the environment's buffer of keys. */
  getSharedByBinary?(database: number, keyBytes: number): Uint8Array | undefined;
  detachBuffer?(buffer: ArrayBufferLike): void;
}

const { nativeAddon } = createRequire(import.meta.url)("lmdb") as { readonly nativeAddon?: Binding };

/**
 * Reads values of a database without copying them: `use` gets a window into the memory map. LMDB keeps its pages as they are while the read transaction lasts,
 * which is the present turn of the event loop, and the window is closed before that.
 *
 * The binding has no documented function for this, so the first window is compared with a copy; where they differ, or functions are missing, or no
 * window can be made, values are copied.
 */
export function valueViews(database: Database, { isReadOnly = false }: { readonly isReadOnly?: boolean } = {}): ValueViews {
  const copies: ValueViews = (key, use) => {
    const bytes = database.getBinaryFast(key);
    // Every value comes in the same buffer, of which only `length` is set.
    return bytes && use(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  };
  // Without a lock file, as in a folder of somebody else's, writers do not know of readers and may use their pages again.
  const windows = isReadOnly ? undefined : windowsOf(database);
  if (!windows) return copies;
  let views: ValueViews | undefined;
  return (key, use) => {
    views ??= sameBytes(windows, copies, key);
    return views?.(key, use);
  };
}

function windowsOf(database: Database): ValueViews | undefined {
  const { getSharedByBinary, detachBuffer } = nativeAddon ?? {};
  const keys = keyBuffer(database);
  // Where no buffer may lie in foreign memory, as in Electron, the binding gives back what was never made.
  if (!getSharedByBinary || !detachBuffer || !keys || !lendsMemory()) return undefined;
  const inner = database as unknown as Inner;
  return (key, use) => {
    inner.ensureReadTxn();
    const bytes = getSharedByBinary(inner.dbAddress, inner.writeKey(key, keys, 0));
    if (!bytes) return undefined;
    try {
      return use(bytes);
    } finally {
      // Nobody can come back to pages that LMDB may use otherwise by then, and the garbage collector does not count them as memory of its own.
      detachBuffer(bytes.buffer);
    }
  };
}

/** The buffer from which the binding takes keys: it is passed to `writeKey` at every reading. */
function keyBuffer(database: Database): Uint8Array | undefined {
  const inner = database as unknown as Inner;
  const { writeKey } = inner;
  if (typeof writeKey !== "function" || typeof inner.ensureReadTxn !== "function") return undefined;
  let buffer: Uint8Array | undefined;
  inner.writeKey = (key, target, start) => {
    buffer = target;
    return writeKey.call(database, key, target, start);
  };
  try {
    database.getBinaryFast(["none"]);
  } finally {
    inner.writeKey = writeKey;
  }
  return buffer;
}

/** Windows where they show what is stored and are closed behind their use, else copies; undefined while there is no such value to tell by. */
function sameBytes(windows: ValueViews, copies: ValueViews, key: Key): ValueViews | undefined {
  const copy = copies(key, (bytes) => Buffer.from(bytes));
  if (!copy) return undefined;
  let window: Uint8Array | undefined;
  const isSame = windows(key, (bytes) => {
    window = bytes;
    return copy.equals(bytes);
  });
  return isSame && window?.byteLength === 0 ? windows : copies;
}
