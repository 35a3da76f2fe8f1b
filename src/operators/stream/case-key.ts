import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { CaseStore } from "../../cache/case-store.js";
import { isDiskFull } from "../../cache/is-disk-full.js";
import type { CustomCase } from "../../core/case.js";
import type { RunContext } from "../../core/run-context.js";
import { addressOptions } from "../../io/dicom/dicom-address.js";
import { filesOfVolume } from "../../io/files-of-volume.js";
import type { CaseItem } from "../load/case-item.js";
import type { LoadOptions } from "../load/load.js";
import type { OperatorLink } from "../operator-link.js";
import { codeVersion } from "./code-version.js";

/** What makes a cached case, apart from its source bytes. */
export interface CaseRecipe {
  readonly load: LoadOptions;
  readonly links: readonly OperatorLink[];
  /** How image voxels are kept. */
  readonly image: "float32" | "int16" | "float16";
}

/** Name of a cached case: SHA-256 over source bytes, operators with their options, declared classes and code version. */
export async function caseKey(
  item: CaseItem,
  recipe: CaseRecipe,
  context: RunContext,
  store: CaseStore,
  custom?: CustomCase,
  signal?: AbortSignal,
): Promise<string> {
  const { ref, data } = item;
  const withLabel = context.mode !== "prediction";
  const named = [...ref.images, ...(withLabel && ref.label !== undefined ? [ref.label] : [])];
  const sources = custom
    ? [customHash(custom, withLabel)]
    : await Promise.all((await Promise.all(named.map(filesOfVolume))).flat().map((path) => fileHash(path, context, store, signal)));
  const text = JSON.stringify([
    sources,
    withLabel,
    recipe.load,
    recipe.links.map(({ name, params, module }) => (module ? [name, params, module.hash] : [name, params])),
    recipe.image,
    data.classes,
    data.channels,
    ...(ref.reading ? [ref.reading] : []),
    // Which series and structures are meant.
    ...named.map(addressOptions).filter((options) => options !== ""),
    codeVersion(),
  ]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** Hash of a file's bytes, remembered for as long as size, time and file number stay the same. */
async function fileHash(path: string, { tasks }: RunContext, store: CaseStore, signal?: AbortSignal): Promise<string> {
  const file = resolve(path);
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  const state = stat ? `${stat.size}.${stat.mtimeNs}.${stat.ctimeNs}.${stat.ino}` : "";
  // Long paths do not fit a key.
  const name = `file.${createHash("sha256").update(file).digest("hex")}`;
  const [knownState, knownHash] = store.note(name)?.split(" ") ?? [];
  if (state !== "" && knownState === state && knownHash) return knownHash;
  const hash = (await tasks.run("hashFile", file, signal ? { signal } : {})) as string;
  try {
    store.setNote(name, `${state} ${hash}`);
  } catch (error) {
    // Without room for the note the file is hashed again next time.
    if (!isDiskFull(error)) throw error;
  }
  return hash;
}

/** A custom reader has no files that we know of: its arrays are the source. */
function customHash({ image, label }: CustomCase, withLabel: boolean): string {
  const hash = createHash("sha256").update(JSON.stringify([image.shape, image.affine ?? null, image.data.constructor.name]));
  hash.update(bytesOf(image.data));
  if (withLabel && label) hash.update(JSON.stringify([label.shape, label.data.constructor.name])).update(bytesOf(label.data));
  return hash.digest("hex");
}

function bytesOf({ buffer, byteOffset, byteLength }: CustomCase["image"]["data"]): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
