// Runs the modules named on the command line, which lie beside this file, and prints a line for each.
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { isObservable, type Observable } from "rxjs";
import { isVoxError, run, to } from "voxstream";
import { closeWorld, context, samples } from "./example-world.js";

async function countItems(flow: Observable<unknown>): Promise<number> {
  let items = 0;
  await run("example", [flow.pipe(to(() => void items++))], { context }).done;
  return items;
}

async function outcome(value: unknown): Promise<{ value?: unknown; items?: number }> {
  if (isObservable(value)) return { items: await countItems(value) };
  if (value instanceof tf.Tensor) {
    const numbers = [...value.dataSync()];
    if (!numbers.every(Number.isFinite)) throw new Error(`not finite: ${numbers}`);
    return { value: numbers };
  }
  if (value !== null && typeof value === "object" && "countParams" in value) return { value: (value as LayersModel).countParams() };
  if (ArrayBuffer.isView(value)) return { value: Array.from(value as Uint8Array) };
  return isPlain(value) ? { value } : {};
}

/** What JSON can hold: other values, such as layers, only have to come about. */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value !== "object") return typeof value !== "function";
  const prototype = Object.getPrototypeOf(value);
  return (Array.isArray(value) || prototype === Object.prototype) && Object.values(value).every(isPlain);
}

/** An example that is a module shows an operator: whatever it exports that needs nothing is one. */
async function operatorOf(module: Record<string, unknown>): Promise<{ items?: number }> {
  for (const each of Object.values(module)) {
    if (typeof each === "function" && each.length === 0) return { items: await countItems(samples.pipe(each())) };
  }
  return {};
}

for (const name of process.argv.slice(2)) {
  let result: object;
  try {
    const module = await import(new URL(`./${name}.mjs`, import.meta.url).href);
    const isExample = typeof module.default === "function" && module.default.name === "example";
    result = isExample ? await outcome(await module.default()) : await operatorOf(module);
  } catch (error) {
    result = { error: isVoxError(error) ? `${error.code} ${error.message}` : String((error as Error).stack ?? error) };
  }
  process.stdout.write(`RESULT ${JSON.stringify({ name, ...result })}\n`);
}
await closeWorld();
process.exit(0);
