import { z } from "zod";
import { parseBytes } from "../../core/bytes.js";
import { describe, errorMessage, VoxError } from "../../core/errors.js";
import { nearestName } from "../../core/nearest-name.js";
import type { TrainingConfig } from "./training-config.js";

// Each number says its rule in words, whatever is wrong: text, NaN, infinite, a fraction, out of range.
const integerFrom = (least: number, error = `an integer >= ${least}`) => z.int({ error }).min(least, { error });
const numberBetween = (low: number, high: number, error: string) => z.number({ error }).gt(low, { error }).lt(high, { error });
const positiveInteger = integerFrom(1);
const positive = z.number({ error: "a number > 0" }).gt(0, { error: "a number > 0" });
const notNegative = z.number({ error: "a number >= 0" }).min(0, { error: "a number >= 0" });
const decay = z
  .number({ error: "a number from 0 to below 1" })
  .min(0, { error: "a number from 0 to below 1" })
  .lt(1, { error: "a number from 0 to below 1" });
const yesOrNo = z.boolean({ error: "true or false" });
const text = (rule: string) => z.custom<string>((value) => typeof value === "string" && value !== "", rule);
const fn = (what: string) => z.custom<unknown>((value) => typeof value === "function", `a function, ${what}`);
const graph = fn("({ cases }) => cases.pipe(…)");

const dataSet = z.custom<unknown>(
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Array.isArray((value as { classes?: unknown }).classes) &&
    typeof (value as { list?: unknown }).list === "function",
  "a data set such as niftiCases({ root, classes })",
);
const model = z.custom<unknown>(
  (value) => typeof value === "object" && value !== null && typeof (value as { build?: unknown }).build === "function",
  "a model such as unet()",
);
const schedule = z.custom<unknown>(
  (value) => typeof value === "object" && value !== null && typeof (value as { begin?: unknown }).begin === "function",
  "a schedule such as plateau() or cosine()",
);
const optimizerName = z.enum(["adam", "adamw", "sgd"]);

const schema = z.strictObject({
  data: dataSet,
  split: z
    .union(
      [
        z.strictObject({ validation: numberBetween(0, 1, "a share above 0 and below 1, or a list of ids") }),
        z.strictObject({ validation: z.array(z.string()), training: z.array(z.string()).optional() }),
      ],
      { error: "{ validation: share between 0 and 1 }, or { validation: [ids], training?: [ids] }" },
    )
    .optional(),
  graph,
  validation: z
    .strictObject({
      every: positiveInteger.optional(),
      graph: graph.optional(),
      patches: yesOrNo.optional(),
      cases: z
        .strictObject({
          every: positiveInteger.optional(),
          overlap: z.tuple([integerFrom(0), integerFrom(0), integerFrom(0)], { error: "three integers [z, y, x]" }).optional(),
          keep: z
            .strictObject({
              cases: integerFrom(0).optional(),
              epochs: integerFrom(2).optional(),
              bytes: z.union([z.string(), z.number()], { error: 'a size such as "256MB"' }).optional(),
            })
            .optional(),
        })
        .optional(),
    })
    .refine(({ patches = true, cases }) => patches || cases !== undefined, "by patches, or by cases: { every, overlap }")
    .optional(),
  model,
  loss: fn("such as tverskyLoss()"),
  metrics: z.array(fn("such as softDice()"), { error: "a list of functions such as softDice()" }).optional(),
  training: z.strictObject({
    epochs: positiveInteger,
    stepsPerEpoch: positiveInteger.optional(),
    learningRate: positive.optional(),
    optimizer: z
      .union(
        [
          optimizerName,
          z.strictObject({
            name: optimizerName,
            beta1: decay.optional(),
            beta2: decay.optional(),
            epsilon: positive.optional(),
            momentum: decay.optional(),
            nesterov: yesOrNo.optional(),
            weightDecay: notNegative.optional(),
          }),
        ],
        { error: '"adam", "adamw", "sgd", or { name, … } with their options' },
      )
      .optional(),
    schedule: schedule.optional(),
    earlyStopping: z.strictObject({ patience: positiveInteger, minDelta: notNegative.optional() }).optional(),
    clipNorm: positive.optional(),
    accumulate: positiveInteger.optional(),
    ema: numberBetween(0, 1, "a number above 0 and below 1").optional(),
    monitor: text("the name of a column of history.tsv").optional(),
    checkpoint: z.strictObject({ everySteps: positiveInteger.optional(), everyMinutes: positive.optional() }).optional(),
    callbacks: z.array(z.looseObject({}, { error: "an object with hooks" }), { error: "a list of objects with hooks" }).optional(),
  }),
  init: z
    .union([z.string().min(1), z.strictObject({ bundle: z.string().min(1), freeze: z.array(z.string().min(1)).optional() })], {
      error: "the folder of a bundle, or { bundle, freeze?: [layers] }",
    })
    .optional(),
  seed: z.int({ error: "an integer" }).optional(),
  memory: z.union([z.string(), z.number()], { error: 'a size such as "8GB"' }).optional(),
  workers: integerFrom(0, "an integer from 0 to 1024").max(1024, { error: "an integer from 0 to 1024" }).optional(),
  engine: text("the name of an engine, or auto").optional(),
  threads: positiveInteger.optional(),
  name: z
    .string({ error: "letters, digits, '.', '_' and '-'" })
    // Dots alone would be this folder, or the one above.
    .regex(/^(?!\.+$)[\w.-]+$/, "letters, digits, '.', '_' and '-', not dots alone")
    .optional(),
  runs: text("a folder").optional(),
  onError: z.enum(["fail", "skip"], { error: '"fail" or "skip"' }).optional(),
  skipBudget: integerFrom(0).optional(),
  autotune: yesOrNo.optional(),
});

/** Fields of each object of the schema, for suggestions. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(schema.shape),
  training: Object.keys(schema.shape.training.shape),
  validation: ["every", "graph", "patches", "cases"],
  "validation.cases": ["every", "overlap", "keep"],
  "validation.cases.keep": ["cases", "epochs", "bytes"],
  "training.earlyStopping": ["patience", "minDelta"],
  "training.checkpoint": ["everySteps", "everyMinutes"],
  "training.optimizer": ["name", "beta1", "beta2", "epsilon", "momentum", "nesterov", "weightDecay"],
  split: ["validation", "training"],
  init: ["bundle", "freeze"],
};

/**
 * Checks a configuration and gives it its type. Nothing is read and no thread is started.
 *
 * @throws `ERR_CONFIG` naming the first wrong field and, for an unknown one, the field that was probably meant
 * @example
 * export default defineConfig({
 *   data: niftiCases({ root: "data/kits19", classes: ["background", "kidney", "tumor"] }),
 *   graph: ({ cases }) => cases.pipe(load(), patch({ size: [80, 160, 160] }), batch({ size: 2 })),
 *   model: unet(), loss: tverskyLoss(), metrics: [softDice()],
 *   training: { epochs: 1000 },
 * });
 */
export function defineConfig(config: TrainingConfig): TrainingConfig {
  const result = schema.safeParse(config);
  if (!result.success) throw configError(result.error.issues[0]!, config);
  requireKnownCallbacks(config.training.callbacks ?? []);
  requireOwnOptions(config.training.optimizer);
  requireDifferentMetrics(config.metrics ?? []);
  try {
    // Such as one weight per class.
    config.loss.requireClasses?.(config.data.classes.length);
  } catch (error) {
    throw new VoxError(`loss must fit the classes, but: ${errorMessage(error)}`, { code: "ERR_CONFIG", where: "config", cause: error });
  }
  if (config.memory !== undefined) parseBytes(config.memory, "config", "memory");
  const keepBytes = config.validation?.cases?.keep?.bytes;
  if (keepBytes !== undefined) parseBytes(keepBytes, "config", "validation.cases.keep.bytes");
  return config;
}

const CALLBACKS = ["onStep", "onEpoch", "onEnd"];

/** A callback may have fields of its own, but one that looks like a hook and is none would never be called. */
function requireKnownCallbacks(callbacks: readonly object[]): void {
  for (const callback of callbacks) {
    const wrong = Object.entries(callback).find(([key, value]) => CALLBACKS.includes(key) && typeof value !== "function");
    if (wrong) {
      const [hook, value] = wrong;
      throw new VoxError(`training.callbacks: ${hook} must be a function, got ${describe(value)}`, { code: "ERR_CONFIG", where: "config" });
    }
    const name = Object.keys(callback).find((key) => /^on[A-Z]/.test(key) && !CALLBACKS.includes(key));
    if (name === undefined) continue;
    const nearest = nearestName(name, CALLBACKS);
    const hint = nearest ? `did you mean ${nearest}?` : `known: ${CALLBACKS.join(", ")}`;
    throw new VoxError(`training.callbacks: ${name} is not a hook; ${hint}`, { code: "ERR_CONFIG", where: "config" });
  }
}

const OPTIMIZER_OPTIONS = { adam: ["beta1", "beta2", "epsilon"], adamw: ["beta1", "beta2", "epsilon"], sgd: ["momentum", "nesterov"] } as const;

/** An option of another optimizer would change nothing. */
function requireOwnOptions(optimizer: TrainingConfig["training"]["optimizer"]): void {
  if (typeof optimizer !== "object") return;
  const own: readonly string[] = ["name", "weightDecay", ...OPTIMIZER_OPTIONS[optimizer.name]];
  const other = Object.entries(optimizer).find(([name, value]) => value !== undefined && !own.includes(name))?.[0];
  const refuse = (sentence: string): never => {
    throw new VoxError(sentence, { code: "ERR_CONFIG", where: "config" });
  };
  if (other !== undefined) refuse(`training.optimizer.${other} is no option of ${optimizer.name}, which has ${own.slice(1).join(", ")}`);
  if (optimizer.nesterov && !optimizer.momentum) refuse("training.optimizer.nesterov needs a momentum above 0, such as 0.9");
}

/** Of two metrics of one name, one column would hide the other. */
function requireDifferentMetrics(metrics: readonly { readonly name: string }[]): void {
  const names = metrics.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at) ?? names.find((name) => name === "loss");
  if (twice === undefined) return;
  const rename = `give one another name: Object.defineProperty(metric, "name", { value: "${twice}2" })`;
  const sentence = twice === "loss" ? "the loss has that column already" : "two have it";
  throw new VoxError(`metrics must have different names, for each names its columns; ${sentence}: ${twice}; ${rename}`, {
    code: "ERR_CONFIG",
    where: "config",
  });
}

/** A zod issue, as far as it is used here. */
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
}

function configError(issue: Issue, config: unknown): VoxError {
  // A union reports only that nothing fitted; an unknown field in an object that otherwise fits says more.
  const unknownField = issue.code === "invalid_union" ? issue.errors?.flat().find((inner) => inner.code === "unrecognized_keys") : undefined;
  if (unknownField) return configError({ ...unknownField, path: [...issue.path, ...unknownField.path] }, config);
  const field = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys![0]!;
    const known = FIELDS[field] ?? [];
    const nearest = nearestName(name, known);
    const hint = nearest ? `; did you mean ${nearest}?` : known.length > 0 ? `; known: ${known.join(", ")}` : "";
    return new VoxError(`${field ? `${field}.` : ""}${name} is not a field of the configuration${hint}`, { code: "ERR_CONFIG", where: "config" });
  }
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], config);
  const rule = issue.message.replace(/^Invalid (input|option): expected /, "").replace(/^Too (small|big): expected \w+ to be /, "");
  if (field === "") return new VoxError(`the configuration must be an object, got ${describe(config)}`, { code: "ERR_CONFIG", where: "config" });
  if (value === undefined) return new VoxError(`${field} is missing; it must be ${rule}`, { code: "ERR_CONFIG", where: "config" });
  return new VoxError(`${field} must be ${rule}, got ${describe(value)}`, { code: "ERR_CONFIG", where: "config" });
}
