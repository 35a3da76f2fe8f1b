import { readFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { errorMessage, VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { inPlacePlan, type Step, type StepWork } from "./step.js";

/** Where a step of the user's own is found: the named export of the ES module at a `file:` URL. */
export interface StepModule {
  readonly url: string;
  readonly export: string;
}

/** What such an export may be: a whole step, one without a plan, or only the work; without a plan it rewrites the image in place. */
export type StepSource<P> = ((work: StepWork<P>, parameters: P) => void) | (Pick<Step<P>, "apply"> & Partial<Step<P>>);

/** Fills in what a step of the user's own leaves out. */
export function completeStep<P>(source: StepSource<P>): Step<P> {
  if (typeof source === "function") return { plan: (layout) => inPlacePlan(layout), apply: (work) => source(work, work.params) };
  return { ...source, plan: source.plan ? (layout, params) => source.plan!(layout, params) : (layout) => inPlacePlan(layout) };
}

const loading = new Map<string, Promise<Step<Json>>>();

/**
 * Loads a step of the user's own, once per thread.
 *
 * @throws `ERR_WORKER` when the module does not load or has no such export
 */
export function loadStep({ url, export: name }: StepModule): Promise<Step<Json>> {
  const key = `${url}#${name}`;
  const known = loading.get(key) ?? importStep(url, name);
  loading.set(key, known);
  return known;
}

async function importStep(url: string, name: string): Promise<Step<Json>> {
  hookOnce();
  let loaded: Record<string, unknown>;
  try {
    loaded = (await import(url)) as Record<string, unknown>;
  } catch (error) {
    throw new VoxError(`the module of an operator of your own must load, got: ${errorMessage(error)}`, {
      code: "ERR_WORKER",
      where: url,
      cause: error,
    });
  }
  const found = loaded[name];
  const isStep = typeof found === "function" || typeof (found as { readonly apply?: unknown } | null | undefined)?.apply === "function";
  if (!isStep) {
    throw new VoxError(`the module of an operator of your own must export ${name} as a function or a step with apply, got ${typeof found}`, {
      code: "ERR_WORKER",
      where: url,
    });
  }
  return completeStep(found as StepSource<Json>);
}

const HOOKED = Symbol.for("voxstream.config-hooks");

/** As for config files, `voxstream` is this very package, and TypeScript is understood. */
function hookOnce(): void {
  const place = globalThis as { [HOOKED]?: boolean };
  if (place[HOOKED]) return;
  place[HOOKED] = true;
  register(new URL(`${import.meta.url.endsWith(".ts") ? "../../../dist" : "../.."}/training/config/config-hooks-worker.js`, import.meta.url));
}

/**
 * The text of a module and of what it imports by relative path, for keys that change when the code does.
 *
 * @throws `ERR_READ` when a file is missing
 */
export function moduleSource(url: string): string {
  const texts = new Map<string, string>();
  const open = [url];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (texts.has(at)) continue;
    let text: string;
    try {
      text = readFileSync(fileURLToPath(at), "utf8");
    } catch (error) {
      // An import inside a comment or a string, or TypeScript's .js for a .ts neighbor.
      const typed = at.replace(/js$/, "ts");
      if (at !== url && typed === at) continue;
      if (at !== url) {
        open.push(typed);
        continue;
      }
      throw new VoxError(`the module of an operator of your own must be readable, got ${errorMessage(error)}`, {
        code: "ERR_READ",
        where: at,
        cause: error,
      });
    }
    texts.set(at, text);
    for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g)) open.push(new URL(path!, at).href);
  }
  return [...texts.values()].join("\n");
}
