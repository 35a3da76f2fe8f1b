import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { errorMessage, VoxError } from "../core/errors.js";
import { findStep, rememberStep } from "../workers/steps/find-step.js";
import { loadStep, type StepModule } from "../workers/steps/step-module.js";

/** What is read of an operator that a bundle keeps. */
export interface NamedStep {
  readonly name: string;
  /** Of an operator of the user's own: where its work is exported, and the hash of its source. */
  readonly module?: StepModule & { readonly hash: string };
}

/**
 * Makes the user's own steps of a bundle's preprocessing known in this thread: those that this program has built already stay, others come from their
 * modules, which lie where the bundle says, or beside the bundle. After that `transform({ name, parameters })` builds each of them.
 *
 * @throws `ERR_BUNDLE` when a step is not built in, and comes without a module or from one that does not load
 */
export async function bringSteps(steps: readonly NamedStep[], folder: string): Promise<void> {
  for (const { name, module } of steps) {
    if (name === "load" || findStep(name)) continue;
    if (!module) {
      throw new VoxError(
        `the preprocessing must consist of built-in steps and of steps with a module, got ${name}: give its transform a module, or build it in the program that predicts`,
        { code: "ERR_BUNDLE", where: folder },
      );
    }
    const beside = join(folder, basename(decodeURIComponent(new URL(module.url).pathname)));
    const url = existsSync(beside) ? pathToFileURL(beside).href : module.url;
    try {
      rememberStep(name, { step: await loadStep({ url, export: module.export }), module: { ...module, url } });
    } catch (error) {
      throw new VoxError(
        `the step ${name} must come from its module, which does not load; put the file back, or beside bundle.json: ${errorMessage(error)}`,
        {
          code: "ERR_BUNDLE",
          where: folder,
          cause: error,
        },
      );
    }
  }
}
