import { VoxError } from "../../core/errors.js";
import { type ComparisonConfig, defineComparison, variantConfig } from "../../training/config/define-comparison.js";
import { loadComparison, loadConfig } from "../../training/config/load-config.js";
import type { TrainingConfig } from "../../training/config/training-config.js";
import { runName } from "../../training/run/run-name.js";

/** One configuration among those that are compared. */
export interface ComparisonVariant {
  readonly name: string;
  /** What `train` takes: a file, so that the graph gets a thread, or the configuration. */
  readonly source: TrainingConfig | string;
  readonly config: TrainingConfig;
}

/** What is compared, from one comparison or from several config files. */
export interface ComparisonPlan extends Pick<ComparisonConfig, "baseline" | "folds" | "holdOut" | "seeds"> {
  readonly variants: readonly ComparisonVariant[];
  /** Name of the run's folder, where none is asked for. */
  readonly name: string;
}

/**
 * Loads what is compared: a comparison, the file of one, or config files, which are variants under their names.
 *
 * @throws `ERR_CONFIG` when a file or a variant is wrong, two have one name, or their classes differ
 * @example
 * const { variants } = await comparisonPlan(["unet.config.mjs", "residual.config.mjs"]);
 */
export async function comparisonPlan(source: ComparisonConfig | string | readonly string[]): Promise<ComparisonPlan> {
  const paths = typeof source === "string" ? [source] : source;
  const plan = isPaths(paths) && paths.length > 1 ? await ofFiles(paths) : await ofComparison(isPaths(paths) ? paths[0] : undefined, source);
  const [first, ...others] = plan.variants;
  const other = others.find(({ config }) => JSON.stringify(config.data.classes) !== JSON.stringify(first!.config.data.classes));
  if (other) {
    throw new VoxError(
      `all variants must have the same classes, got ${first!.config.data.classes.join(", ")} in ${first!.name} and ${other.config.data.classes.join(", ")} in ${other.name}`,
      { code: "ERR_CONFIG", where: "comparison" },
    );
  }
  return plan;
}

function isPaths(source: unknown): source is readonly string[] {
  return Array.isArray(source);
}

async function ofComparison(path: string | undefined, source: ComparisonConfig | string | readonly string[]): Promise<ComparisonPlan> {
  const comparison = path === undefined ? defineComparison(source as ComparisonConfig) : await loadComparison(path);
  const { variants, baseline, folds, holdOut, seeds } = comparison;
  return {
    // Not the base's name, under which it may have been trained.
    name: path === undefined ? "comparison" : runName(path),
    ...(baseline !== undefined && { baseline }),
    ...(folds !== undefined && { folds }),
    ...(holdOut !== undefined && { holdOut }),
    ...(seeds !== undefined && { seeds }),
    variants: Object.keys(variants).map((name) => {
      const config = variantConfig(comparison, name);
      return { name, config, source: path === undefined ? config : `${path}#${name}` };
    }),
  };
}

async function ofFiles(paths: readonly string[]): Promise<ComparisonPlan> {
  const variants = await Promise.all(
    paths.map(async (path) => {
      const config = await loadConfig(path);
      return { name: config.name ?? runName(path), config, source: path };
    }),
  );
  const names = variants.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new VoxError(`the config files must have different names, got '${twice}' twice`, { code: "ERR_CONFIG", where: "comparison" });
  }
  return { name: "comparison", variants };
}
