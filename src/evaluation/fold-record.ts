import { join } from "node:path";
import { z } from "zod";
import type { Json } from "../core/json.js";
import { readJsonRecord } from "../inference/read-json-record.js";
import { writeAtomically } from "../io/write-atomically.js";
import type { CaseConfusion } from "./confusion/case-confusion.js";
import type { EvaluationRow } from "./evaluation-summary.js";

/** How held-out cases were predicted, scored and shown. */
export interface FoldScoring {
  readonly checkpoint: "latest" | "best";
  readonly regions: Readonly<Record<string, readonly number[]>>;
  readonly tolerance: number;
  /** How the pictures look; null: none were drawn. */
  readonly overlays: Readonly<Record<string, Json>> | null;
}

/** How far a fold has come: `fold.json` in its folder. */
export interface FoldRecord {
  readonly format: "voxstream-fold";
  readonly fold: number;
  readonly training: {
    readonly epochs: number;
    readonly steps: number;
    readonly loss: number | null;
    readonly bestEpoch: number | null;
    readonly seconds: number;
    /** Why it ended before its last epoch. */
    readonly reason: string | null;
  };
  /** Scores of the held-out cases; null until they are predicted and compared. */
  readonly evaluation: {
    readonly rows: readonly EvaluationRow[];
    /** Of each case; absent in records of versions that did not count them. */
    readonly confusions?: readonly CaseConfusion[] | undefined;
    readonly missing: readonly string[];
    readonly failed: readonly { readonly id: string; readonly message: string }[];
    /** Absent in records of versions that did not tell. */
    readonly scoring?: FoldScoring | undefined;
  } | null;
}

const count = z.number().min(0);
// JSON has no NaN, which is what a metric that does not count is.
const metric = z.union([z.number(), z.null().transform(() => Number.NaN)]);

const schema = z.object({
  format: z.literal("voxstream-fold"),
  fold: z.int().min(0),
  training: z.object({
    epochs: count,
    steps: count,
    loss: z.number().nullable(),
    bestEpoch: z.number().nullable(),
    seconds: count,
    reason: z.string().nullable(),
  }),
  evaluation: z
    .object({
      rows: z.array(
        z.object({
          id: z.string(),
          class: z.string(),
          labels: z.array(z.number()),
          state: z.enum(["ok", "both_empty", "ref_empty", "pred_empty"]),
          counts: z.object({ tp: count, fp: count, fn: count, tn: count }),
          volumes: z.object({ reference: count, prediction: count }),
          metrics: z.record(z.string(), metric),
        }),
      ),
      confusions: z.array(z.object({ id: z.string(), confusion: z.array(z.array(count)) })).optional(),
      missing: z.array(z.string()),
      failed: z.array(z.object({ id: z.string(), message: z.string() })),
      scoring: z
        .object({
          checkpoint: z.enum(["latest", "best"]),
          regions: z.record(z.string(), z.array(z.number())),
          tolerance: z.number(),
          overlays: z.record(z.string(), z.json()).nullable(),
        })
        .optional(),
    })
    .nullable(),
});

const NAME = "fold.json";

/**
 * Reads how far a fold has come; undefined before its training has ended.
 *
 * @throws `ERR_READ`; `ERR_FORMAT` when the file is not what `writeFoldRecord` writes
 */
export async function readFoldRecord(folder: string): Promise<FoldRecord | undefined> {
  return readJsonRecord(join(folder, NAME), schema, { what: "the record of the fold", unreadable: "ERR_READ", malformed: "ERR_FORMAT" });
}

/** Writes `fold.json`. */
export async function writeFoldRecord(folder: string, record: FoldRecord): Promise<void> {
  await writeAtomically(join(folder, NAME), [Buffer.from(`${JSON.stringify(record)}\n`)]);
}
