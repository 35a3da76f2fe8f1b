import { resolve } from "node:path";
import { CaseStore } from "./case-store.js";

const stores = new Map<string, CaseStore>();

/** The store in a folder. One per folder and process: LMDB must not open an environment twice. */
export function openCaseStore(folder: string): CaseStore {
  const path = resolve(folder);
  let store = stores.get(path);
  if (!store) {
    store = new CaseStore(path);
    stores.set(path, store);
  }
  return store;
}

/** Closes all stores of the process; volumes read from them are of no more use. Only needed before a folder is moved or deleted. */
export async function closeCaseStores(): Promise<void> {
  const open = [...stores.values()];
  stores.clear();
  await Promise.all(open.map((store) => store.close()));
}
