import { VoxError } from "../../core/errors.js";
import type { FileBytes } from "./file-bytes.js";

/** A piece of a file. */
export interface Fragment {
  readonly offset: number;
  readonly length: number;
}

const ITEM_GROUP = 0xfffe;
const ITEM = 0xe000;
const SEQUENCE_END = 0xe0dd;
const MAX_FRAGMENTS = 2 ** 20;

/**
 * The fragments of each frame of compressed pixel data that begins at `offset`: by the offset table where there is one, else one fragment for each frame, else by
 * where a codestream begins.
 *
 * @throws `ERR_TRUNCATED`; `ERR_FORMAT` when the frames cannot be told apart
 * @source DICOM PS3.5, annex A.4
 */
export function encapsulatedFrames(file: FileBytes, offset: number, frames: number): readonly (readonly Fragment[])[] {
  const fail = (sentence: string): VoxError => new VoxError(sentence, { code: "ERR_FORMAT", where: file.path });
  const items: Fragment[] = [];
  for (let at = offset; ; ) {
    // Without the delimiter at the end there is at least what was there before it.
    if (at === file.size && items.length > 1) break;
    const [group, element] = [file.uint16(at, true), file.uint16(at + 2, true)];
    const length = file.uint32(at + 4, true);
    if (group === ITEM_GROUP && element === SEQUENCE_END) break;
    if (group !== ITEM_GROUP || element !== ITEM) throw fail(`compressed pixels must be a sequence of items, got something else at byte ${at}`);
    if (at + 8 + length > file.size) {
      throw new VoxError(`the file must have ${at + 8 + length} bytes for its compressed pixels, got ${file.size}`, {
        code: "ERR_TRUNCATED",
        where: file.path,
      });
    }
    if (items.length > MAX_FRAGMENTS) throw fail(`compressed pixels must have at most ${MAX_FRAGMENTS} fragments, got more`);
    items.push({ offset: at + 8, length });
    at += 8 + length;
  }
  const [table, ...fragments] = items;
  if (!table || fragments.length === 0) throw fail("compressed pixels must have at least one fragment, got none");
  if (frames === 1) return [fragments];
  if (fragments.length === frames) return fragments.map((fragment) => [fragment]);
  if (fragments.length < frames) throw fail(`compressed pixels must have a fragment for each of the ${frames} frames, got ${fragments.length}`);
  const starts = table.length === 4 * frames ? tableStarts(file, table, fragments) : codestreamStarts(file, fragments);
  if (starts.length !== frames || starts.some((start, n) => start < 0 || (n > 0 && start <= starts[n - 1]!))) {
    throw fail(`the ${fragments.length} fragments must be those of ${frames} frames, got no table that says which`);
  }
  return starts.map((start, n) => fragments.slice(start, starts[n + 1] ?? fragments.length));
}

/** Offsets count from the first fragment's item. */
function tableStarts(file: FileBytes, table: Fragment, fragments: readonly Fragment[]): number[] {
  const first = fragments[0]!.offset;
  const places = new Map(fragments.map(({ offset }, n) => [offset - first, n]));
  return Array.from({ length: table.length / 4 }, (_, n) => places.get(file.uint32(table.offset + 4 * n, true)) ?? -1);
}

/** JPEG streams begin with FF D8, JPEG 2000 with FF 4F. */
function codestreamStarts(file: FileBytes, fragments: readonly Fragment[]): number[] {
  return fragments.flatMap(({ offset, length }, n) => {
    const mark = length < 2 ? 0 : file.uint16(offset, false);
    return mark === 0xffd8 || mark === 0xff4f ? [n] : [];
  });
}
