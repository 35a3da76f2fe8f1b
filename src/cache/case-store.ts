import { statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { formatBytes } from "../core/bytes.js";
import { errorMessage, isVoxError, VoxError } from "../core/errors.js";
import { elementCount } from "../core/shape.js";
import { type CaseArrays, type CaseChunk, caseChunks } from "./case-chunks.js";
import { type ArrayKind, type ArrayRecord, arraysOf, type CaseRecord } from "./case-record.js";
import { chunkBox, chunkCount, chunkGrid } from "./chunk-grid.js";
import { isDiskFull } from "./is-disk-full.js";
import { MappedPages } from "./mapped-pages.js";
import { DATA_FILE, type Environment, openEnvironment } from "./open-environment.js";
import { reserveRoom } from "./reserve-room.js";
import { storedBytes, storedElementBytes } from "./stored-bytes.js";
import { isIntact, StoredVolume } from "./stored-volume.js";
import { type ValueViews, valueViews } from "./value-views.js";

/** A case as it comes out of the store; its arrays read their chunks when asked. */
export interface StoredCase {
  readonly record: CaseRecord;
  readonly image: StoredVolume<"float32">;
  readonly label?: StoredVolume<"uint8" | "uint16">;
}

/** Bytes of chunks that one transaction writes: LMDB keeps the pages of a transaction in memory, and larger ones leave the caches of the processor. */
const TRANSACTION_BYTES = 1024 ** 2;
/** Longest time that writing keeps the event loop to itself. */
const SLICE_MS = 10;
/** A case that was used so recently is never thrown out: some run lives on it. */
const IN_USE_MS = 60 * 60 * 1000;
/** A case to which a process has not come back for so long is no part of what it lives on. */
const FORGOTTEN_MS = 24 * 60 * 60 * 1000;
/** How old the note of the last use may get before it is renewed. */
const NOTE_EVERY_MS = 10 * 60 * 1000;
/** How long a count of what is stored is believed; other processes may write meanwhile. */
const COUNT_EVERY_MS = 2_000;

/**
 * Cases by key in one LMDB environment: chunks with checksums, and a commit record that is written last, so a case is there as a whole or not at all.
 * Several processes may read and write at once. Nothing is flushed to disk on purpose: everything can be made again, and checksums find what a crash spoiled.
 */
export class CaseStore {
  readonly folder: string;
  /** Whether nothing can be written, as on a disk that is mounted so, or in another user's folder. */
  readonly isReadOnly: boolean;
  private readonly database: Environment["database"];
  private readonly values: ValueViews;
  private readonly mapped: MappedPages;
  private readonly checked = new Map<string, Set<number>>();
  /** When this process has used a case last. */
  private readonly inUse = new Map<string, number>();
  private notedAt = 0;
  /** What was in the store when it was last counted, and what has found no room since. */
  private counted = { at: 0, bytes: 0, refused: Number.POSITIVE_INFINITY };

  /** @throws `ERR_CACHE` when the folder cannot be made or the environment cannot be opened */
  constructor(folder: string) {
    this.folder = folder;
    this.mapped = new MappedPages(join(folder, DATA_FILE));
    try {
      const { database, isReadOnly } = openEnvironment(folder);
      this.database = database;
      this.values = valueViews(database, { isReadOnly });
      this.isReadOnly = isReadOnly;
    } catch (error) {
      throw this.fault("opened", error);
    }
  }

  /** Bounds what is resident of the memory map from now on: it goes with a pool of so many bytes. */
  keepBeside(poolBytes: number): void {
    this.mapped.keepBeside(poolBytes);
  }

  /** The commit record of a case, or undefined when it is not there as a whole. */
  record(key: string): CaseRecord | undefined {
    const bytes = this.database.get(["case", key]);
    if (!bytes) return undefined;
    try {
      return JSON.parse(Buffer.from(bytes).toString()) as CaseRecord;
    } catch {
      // A damaged record is none: the case is made again, over what is left of it.
      return undefined;
    }
  }

  /** A case for reading; undefined when it is not there as a whole. `mend` makes it again when a chunk turns out to be damaged or gone. */
  read(key: string, mend?: (signal?: AbortSignal) => Promise<void>): StoredCase | undefined {
    const record = this.record(key);
    if (!record) return undefined;
    this.noteUse(key);
    return {
      record,
      image: this.volume(key, "image", record.image, record.id, mend),
      ...(record.label && { label: this.volume(key, "label", record.label, record.id, mend) }),
    };
  }

  /**
   * Writes a case. Returns false, and writes nothing, when `quota` bytes of voxels in all leave no room for it.
   *
   * @throws `ERR_CACHE` when the disk is full or the environment cannot be written; nothing of the case stays visible then
   */
  async write(key: string, record: Omit<CaseRecord, "bytes" | "created">, arrays: CaseArrays, quota = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (this.record(key)) return true;
    const bytes = storedBytes(record.image) + (record.label ? storedBytes(record.label) : 0);
    if (this.isReadOnly || !this.makeRoom(bytes, quota)) return false;
    await this.writeAll(key, record, bytes, arrays);
    this.counted.bytes += bytes;
    return true;
  }

  /**
   * Writes a case over itself: what was damaged is whole again, and what was whole stays as it is.
   *
   * @throws `ERR_CACHE`, as `write`
   */
  async rewrite(key: string, record: Omit<CaseRecord, "bytes" | "created">, arrays: CaseArrays): Promise<void> {
    await this.writeAll(key, record, storedBytes(record.image) + (record.label ? storedBytes(record.label) : 0), arrays);
    this.forgetChecks(key);
  }

  private async writeAll(key: string, record: Omit<CaseRecord, "bytes" | "created">, bytes: number, arrays: CaseArrays): Promise<void> {
    try {
      reserveRoom(join(this.folder, DATA_FILE), bytes);
      const chunks = caseChunks(record, arrays);
      let isFirst = true;
      let since = performance.now();
      for (let isLast = false; !isLast; isFirst = false) {
        this.put(() => {
          isLast = this.putSome(key, chunks);
          if (isLast) {
            const complete: CaseRecord = { ...record, bytes, created: Date.now() };
            this.database.putSync(["case", key], encode(complete));
            this.database.putSync(["used", key], encode(complete.created));
            if (!isFirst) this.database.removeSync(["writing", key]);
          } else if (isFirst) {
            this.database.putSync(["writing", key], encode({ since: Date.now(), pid: process.pid }));
          }
        });
        if (!isLast && performance.now() - since > SLICE_MS) {
          await nextTurn();
          since = performance.now();
        }
      }
    } catch (error) {
      this.dropQuietly(key);
      throw isVoxError(error) ? error : this.fault("written", error);
    }
    this.inUse.set(key, Date.now());
    // LMDB keeps its former map when it makes a larger one, and what is read again would count twice.
    this.mapped.drop();
  }

  /** Puts chunks into the present transaction until it is large enough; returns whether they were the last. */
  private putSome(key: string, chunks: Iterator<CaseChunk>): boolean {
    for (let size = 0; size < TRANSACTION_BYTES; ) {
      const { done, value } = chunks.next();
      if (done) return true;
      // LMDB copies the bytes before this returns.
      this.database.putSync(["chunk", key, value.kind, value.number], value.bytes);
      size += value.bytes.length;
    }
    return false;
  }

  /** All cases that are there as a whole. */
  *cases(): Generator<{ readonly key: string; readonly record: CaseRecord; readonly used: number }> {
    for (const key of this.keys("case")) {
      const record = this.record(key);
      if (record) yield { key, record, used: this.lastUse(key) ?? record.created };
    }
  }

  /** Bytes of all cases. */
  get bytes(): number {
    let sum = 0;
    for (const { record } of this.cases()) sum += record.bytes;
    return sum;
  }

  /** Bytes of the environment's file, free pages included. */
  get fileBytes(): number {
    return statSync(join(this.folder, DATA_FILE), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Reads every chunk of a case; the numbers of chunks that are gone or damaged. */
  damage(key: string): number {
    const record = this.record(key);
    if (!record) return 0;
    let damaged = 0;
    for (const [kind, array] of arraysOf(record)) {
      const size = storedElementBytes(array);
      const grid = chunkGrid(array.shape, size);
      for (let number = 0; number < chunkCount(grid); number++) {
        const end = elementCount(chunkBox(grid, array.shape, number).size) * array.shape[3] * size;
        let isWhole = false;
        this.chunk(key, kind, number, (bytes) => {
          isWhole = isIntact(bytes, end);
        });
        if (!isWhole) damaged++;
      }
    }
    return damaged;
  }

  /** Removes a case, the commit record first. */
  remove(key: string): void {
    try {
      this.put(() => {
        this.database.removeSync(["case", key]);
        this.database.removeSync(["used", key]);
      });
      this.forgetChecks(key);
      this.inUse.delete(key);
      this.removeChunks(key);
    } catch (error) {
      throw isVoxError(error) ? error : this.fault("written", error);
    }
  }

  /** Removes the remains of cases that nobody finishes any more; returns how many. */
  removeRemains(olderThanMs = IN_USE_MS): number {
    let removed = 0;
    for (const key of this.keys("writing")) {
      const bytes = this.database.get(["writing", key]);
      const since = bytes ? (JSON.parse(Buffer.from(bytes).toString()) as { since: number }).since : 0;
      if (Date.now() - since < olderThanMs) continue;
      if (!this.record(key)) this.removeChunks(key);
      this.put(() => this.database.removeSync(["writing", key]));
      removed++;
    }
    return removed;
  }

  /** A small note beside the cases, such as the hash of a file. */
  note(name: string): string | undefined {
    const bytes = this.database.get(["note", name]);
    return bytes && Buffer.from(bytes).toString();
  }

  /** Nothing is remembered in a cache that cannot be written. */
  setNote(name: string, text: string): void {
    if (this.isReadOnly) return;
    try {
      this.put(() => this.database.putSync(["note", name], Buffer.from(text)));
    } catch (error) {
      throw this.fault("written", error);
    }
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  private keys(kind: "case" | "writing"): string[] {
    return [...this.database.getKeys({ start: [kind], end: [kind, "\uffff"] })].map((key) => String(key[1]));
  }

  private lastUse(key: string): number | undefined {
    const bytes = this.database.get(["used", key]);
    return bytes && Number(Buffer.from(bytes).toString());
  }

  /**
   * Tells other runs, which may look for room, that the case is in use. As long as a process reads at all, everything that it has read counts as used: a run
   * whose epochs take hours comes back to each of its cases, and the case that it used longest ago is the one that it needs next.
   */
  private noteUse(key: string): void {
    const now = Date.now();
    const isNew = !this.inUse.has(key);
    this.inUse.set(key, now);
    const isLate = now - this.notedAt >= NOTE_EVERY_MS;
    if (this.isReadOnly || (!isNew && !isLate)) return;
    if (isLate) for (const [other, used] of this.inUse) if (now - used > FORGOTTEN_MS) this.inUse.delete(other);
    const keys = isLate ? [...this.inUse.keys()] : [key];
    if (isLate) this.notedAt = now;
    try {
      this.put(() => {
        for (const used of keys) this.database.putSync(["used", used], encode(now));
      });
    } catch {
      // A full disk must not keep anybody from reading what is there.
    }
  }

  /** Throws out cases that no run has used for an hour, oldest first, until `bytes` fit; cases in use stay, so an over-full cache does not turn over for ever. */
  private makeRoom(bytes: number, quota: number): boolean {
    if (quota === Number.POSITIVE_INFINITY) return true;
    // Counting reads every record, so it is done anew only now and then.
    const isFresh = Date.now() - this.counted.at < COUNT_EVERY_MS;
    if (isFresh && bytes >= this.counted.refused) return false;
    if (isFresh && this.counted.bytes + bytes <= quota) return true;
    const all = [...this.cases()];
    const inAll = all.reduce((sum, { record }) => sum + record.bytes, 0);
    let excess = inAll + bytes - quota;
    const idle = all.filter(({ key, used }) => Date.now() - used > IN_USE_MS && !this.inUse.has(key)).sort((a, b) => a.used - b.used);
    const freed = idle.reduce((sum, { record }) => sum + record.bytes, 0);
    this.counted = { at: Date.now(), bytes: inAll, refused: excess > freed ? bytes : Number.POSITIVE_INFINITY };
    if (excess > freed) return false;
    for (const { key, record } of idle) {
      if (excess <= 0) break;
      this.remove(key);
      this.counted.bytes -= record.bytes;
      excess -= record.bytes;
    }
    return true;
  }

  /** Volumes that were handed out share these sets, so they are emptied and not replaced. */
  private forgetChecks(key: string): void {
    this.checked.get(`${key}/image`)?.clear();
    this.checked.get(`${key}/label`)?.clear();
  }

  private volume<D extends "float32" | "uint8" | "uint16">(
    key: string,
    kind: ArrayKind,
    record: ArrayRecord<D>,
    id: string,
    mend: ((signal?: AbortSignal) => Promise<void>) | undefined,
  ): StoredVolume<D> {
    const name = `${key}/${kind}`;
    let checked = this.checked.get(name);
    if (!checked) {
      checked = new Set();
      this.checked.set(name, checked);
    }
    return new StoredVolume({
      record,
      read: (number, use) => this.chunk(key, kind, number, use),
      checked,
      where: `cache ${this.folder}, case ${id}`,
      ...(mend && { mend }),
    });
  }

  /** Calls `use` with the bytes of a chunk, which are gone when it returns. Returns whether it is there. */
  private chunk(key: string, kind: ArrayKind, number: number, use: (bytes: Uint8Array) => void): boolean {
    const isThere = this.values(["chunk", key, kind, number], (bytes) => {
      this.mapped.note(`${key}/${kind}`, number, bytes.byteLength);
      use(bytes);
      return true;
    });
    return isThere ?? false;
  }

  /** One transaction. Synchronous, because the asynchronous form reports a full disk as a rejection that nobody can catch. */
  private put(action: () => void): void {
    this.database.transactionSync(action);
  }

  private removeChunks(key: string): void {
    const keys = [...this.database.getKeys({ start: ["chunk", key], end: ["chunk", `${key}\uffff`] })];
    this.put(() => {
      for (const chunk of keys) this.database.removeSync(chunk);
    });
  }

  /** After a failed write: without its commit record the case is invisible, so what cannot be removed now does no harm. */
  private dropQuietly(key: string): void {
    try {
      // Another process may have finished the same case meanwhile.
      if (!this.record(key)) this.removeChunks(key);
    } catch {
      // The disk that refused the case may refuse this too.
    }
  }

  private fault(what: "opened" | "written", cause: unknown): VoxError {
    const reason = isDiskFull(cause)
      ? `${errorMessage(cause)}, most likely a full disk; free space, set a quota, or choose another folder`
      : errorMessage(cause);
    return new VoxError(
      `the cache in ${this.folder}${what === "written" ? ` (${formatBytes(this.fileBytes)})` : ""} must be ${what === "opened" ? "readable" : "writable"}, got ${reason}`,
      {
        code: "ERR_CACHE",
        where: "cached",
        cause,
      },
    );
  }
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
