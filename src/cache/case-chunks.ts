import { elementCount } from "../core/shape.js";
import { CHECKSUM_BYTES, packChunk } from "../kernels/pack-chunk/pack-chunk.js";
import { type ArrayKind, arraysOf, type CaseRecord } from "./case-record.js";
import { chunkBox, chunkCount, chunkGrid } from "./chunk-grid.js";
import { storedElementBytes } from "./stored-bytes.js";

/** The arrays of a case that is written. */
export interface CaseArrays {
  readonly image: Float32Array;
  readonly label?: Uint8Array | Uint16Array;
}

export interface CaseChunk {
  readonly kind: ArrayKind;
  readonly number: number;
  /** The chunk and its checksum, until the next one is asked for. */
  readonly bytes: Uint8Array;
}

/** Makes the chunks of a case one after another, those of an array in the same memory, which so stays in the processor's cache. */
export function* caseChunks(record: Pick<CaseRecord, "image" | "label">, arrays: CaseArrays): Generator<CaseChunk, undefined> {
  for (const [kind, array] of arraysOf(record)) {
    const data = arrays[kind];
    if (!data) continue;
    const { shape, encoding } = array;
    const size = storedElementBytes(array);
    const grid = chunkGrid(shape, size);
    const buffer = new ArrayBuffer(elementCount(grid.chunk) * shape[3] * size + CHECKSUM_BYTES);
    for (let number = 0; number < chunkCount(grid); number++) {
      const box = chunkBox(grid, shape, number);
      const bytes = new Uint8Array(buffer, 0, elementCount(box.size) * shape[3] * size + CHECKSUM_BYTES);
      packChunk(data, shape, box.start, box.size, bytes, encoding);
      yield { kind, number, bytes };
    }
  }
}
