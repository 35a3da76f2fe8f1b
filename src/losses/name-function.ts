import type { Json } from "../core/json.js";

/** Gives a function the name and the options that run folders and bundles write down. */
export function nameFunction<F extends (...args: never[]) => unknown>(name: string, options: Json, fn: F): F & { readonly options: Json } {
  Object.defineProperty(fn, "name", { value: name });
  return Object.assign(fn, { options });
}
