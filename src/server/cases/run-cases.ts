import { readdir, stat } from "node:fs/promises";
import { containedPath } from "../files/contained-path.js";
import { parseJson } from "../files/parse-json.js";
import { readText } from "../files/read-text.js";

/** What a case is to a run. */
export type CaseRole = "predicted" | "validation" | "training";

const MOST_BYTES = 4 << 20;
const known = new Map<string, { readonly version: string; readonly roles: ReadonlyMap<string, CaseRole> }>();
const MOST_KNOWN = 64;

/**
 * The cases of a run: those of which it has predictions, then those that its manifest names as validating and training. Only these are ever shown: the
 * folders of data may hold patients that nobody was meant to see here.
 */
export async function runCases(folder: string): Promise<ReadonlyMap<string, CaseRole>> {
  const predictions = await containedPath(folder, "predictions");
  // A folder that was predicted into holds its label maps itself.
  const all = [...(predictions ? await readdir(predictions) : []), ...(await readdir(folder))];
  const names = all.filter((name) => /\.nii(\.gz)?$/.test(name)).sort();
  const predicted = names.map((name): [string, CaseRole] => [name.replace(/\.nii(\.gz)?$/, ""), "predicted"]);
  return new Map([...(await namedCases(folder)), ...predicted]);
}

async function namedCases(folder: string): Promise<ReadonlyMap<string, CaseRole>> {
  const path = await containedPath(folder, "manifest.json");
  if (!path) return new Map();
  const found = await stat(path);
  const version = `${found.size} ${found.mtimeMs}`;
  const before = known.get(folder);
  if (before?.version === version) return before.roles;
  const manifest = parseJson(await readText(path, MOST_BYTES)) as { readonly cases?: Partial<Record<CaseRole, unknown>> } | undefined;
  const of = (role: CaseRole) => {
    const ids = manifest?.cases?.[role];
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string").map((id): [string, CaseRole] => [id, role]) : [];
  };
  const roles = new Map([...of("training"), ...of("validation")]);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(folder, { version, roles });
  return roles;
}
