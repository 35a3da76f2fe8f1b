import type { Json } from "../../core/json.js";
import type { Triple } from "../../core/shape.js";

/** A function or class with its options, as written down. */
export interface NamedOptions {
  readonly name: string;
  readonly options: Json;
}

/** One deterministic preprocessing operator. */
export interface PreprocessingStep {
  readonly name: string;
  readonly params: Json;
  /** Of an operator of the user's own: the module and export with its work, and the hash of its source. */
  readonly module?: { readonly url: string; readonly export: string; readonly hash: string };
}

/** What a bundle says beside architecture and weights: all that predicting needs. */
export interface BundleDescription {
  readonly classes: readonly string[];
  readonly channels: number;
  /** Patch that the network was trained on: depth, height, width. */
  readonly patch: Triple;
  /** Voxel size in mm that cases are resampled to; null when they keep their own. */
  readonly spacing: Triple | null;
  /** Applied in this order to a loaded case. */
  readonly preprocessing: readonly PreprocessingStep[];
  readonly model: NamedOptions;
  readonly loss: NamedOptions;
  readonly engine: string;
}

/** The content of `bundle.json`. */
export interface BundleFile extends BundleDescription {
  readonly format: "voxstream-bundle";
  readonly formatVersion: 1;
  readonly createdAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly parameters: number;
  readonly weights: { readonly file: string; readonly bytes: number; readonly sha256: string };
  readonly topology: { readonly file: string; readonly sha256: string };
  /** Of all the above, as one line of JSON; bundles of earlier versions lack it. */
  readonly sha256?: string;
}
