/** Voxels of one class that were taken for another. */
export interface ClassConfusion {
  readonly truth: string;
  readonly predicted: string;
  readonly voxels: number;
  /** Of all voxels of the true class, 0..1. */
  readonly share: number;
}

/** What was confused most, by the share of the true class or by voxels, of a table with a row for each true class; nothing that was right. */
export function topConfusions(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
  { by, most }: { readonly by: "share" | "voxels"; readonly most: number },
): readonly ClassConfusion[] {
  const all = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((voxels, predicted) =>
      voxels > 0 && predicted !== truth ? [{ truth: classes[truth]!, predicted: classes[predicted]!, voxels, share: voxels / total }] : [],
    );
  });
  return all.sort((a, b) => b[by] - a[by] || b.voxels - a.voxels).slice(0, most);
}
