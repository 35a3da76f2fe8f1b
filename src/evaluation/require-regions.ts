import { requireOption } from "../core/errors.js";

/** @throws `ERR_OPTION` for a region without labels, with labels that no class has, or with the name of a class */
export function requireRegions(where: string, regions: Readonly<Record<string, readonly number[]>>, classes: readonly string[]): void {
  for (const [name, list] of Object.entries(regions)) {
    requireOption(
      list.length > 0 && list.every((label) => classes[label] !== undefined),
      where,
      `regions.${name}`,
      `labels 0..${classes.length - 1}`,
      list,
    );
    requireOption(!classes.includes(name), where, "regions", "names that no class has", name);
  }
}
