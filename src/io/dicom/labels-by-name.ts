import { VoxError } from "../../core/errors.js";

/** What can be named: a structure or a segment. */
export interface Named {
  readonly number: number;
  readonly name: string;
}

export interface LabelsByNameOptions {
  readonly path: string;
  /** What the file holds, for messages. */
  readonly thing: "structure" | "segment";
  readonly structures: Readonly<Record<string, number>>;
  readonly missing: "fail" | "background";
}

/**
 * Label of each number, by the names that are asked for: exactly as written, else without regard to case and surrounding spaces. A segment may also be asked for
 * by its number.
 *
 * @throws `ERR_LABEL` with the names there are when one is missing, or two have the same name but for case
 */
export function labelsByName(all: readonly Named[], { path, thing, structures, missing }: LabelsByNameOptions): ReadonlyMap<number, number> {
  const labels = new Map<number, number>();
  const fold = (name: string): string => name.trim().toLowerCase();
  for (const [name, label] of Object.entries(structures)) {
    const exact = all.filter((one) => one.name === name);
    const close = exact.length > 0 ? exact : all.filter((one) => fold(one.name) === fold(name));
    const found = close.length === 0 && thing === "segment" ? all.filter((one) => String(one.number) === name) : close;
    if (found.length > 1) throw new VoxError(`${thing} ${name} must be one, got ${found.length} of that name`, { code: "ERR_LABEL", where: path });
    if (found.length === 0 && missing === "fail") {
      const names = all.map((one) => (thing === "segment" ? `${one.number} ${one.name}` : one.name)).join(", ");
      throw new VoxError(
        `there must be a ${thing} ${name}, got ${names || "none"}; name them with structures, or set missing: "background" where not every case has them`,
        { code: "ERR_LABEL", where: path },
      );
    }
    for (const { number } of found) labels.set(number, Math.max(label, labels.get(number) ?? 0));
  }
  return labels;
}
