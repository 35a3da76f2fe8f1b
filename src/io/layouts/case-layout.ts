import type { CaseRef } from "../../core/case.js";

export interface LayoutOptions {
  /** Folder of the data set, or the manifest file. */
  readonly root: string;
  readonly subset: "train" | "test";
}

/** What a data set says about itself. */
export interface LayoutFacts {
  readonly classes?: readonly string[];
  readonly channels?: number;
}

/** One way in which data sets are laid out on disk. */
export interface CaseLayout {
  readonly name: string;
  /** What is looked for, for messages. */
  readonly looksFor: string;
  /** Whether a folder looks like this layout. */
  matches(root: string): boolean;
  /** All cases, in any order. */
  list(options: LayoutOptions): CaseRef[];
  facts(root: string): LayoutFacts;
}
