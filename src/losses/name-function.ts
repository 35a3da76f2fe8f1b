import type { Json } from "../core/json.js";

/** Gives a function the name and the options that run folders and bundles write down; and, for losses, the check of the number of classes. */
export function nameFunction<F extends (...args: never[]) => unknown>(
  name: string,
  options: Json,
  fn: F,
  requireClasses?: (classes: number) => unknown,
): F & { readonly options: Json; requireClasses?(classes: number): void } {
  Object.defineProperty(fn, "name", { value: name });
  return Object.assign(fn, { options }, requireClasses && { requireClasses: (classes: number): void => void requireClasses(classes) });
}
