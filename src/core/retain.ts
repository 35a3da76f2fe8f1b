interface Counted {
  retain(): unknown;
  release(): void;
}

function isCounted(value: unknown): value is Counted {
  return (
    typeof value === "object" && value !== null && typeof (value as Counted).retain === "function" && typeof (value as Counted).release === "function"
  );
}

/** Calls `visit` for each counted block in a value: the value itself, the items of an array, the fields of a plain object (samples, batches). */
function visitCounted(value: unknown, visit: (block: Counted) => void): void {
  if (typeof value !== "object" || value === null) return;
  if (isCounted(value)) visit(value);
  else if (Array.isArray(value)) for (const item of value) visitCounted(item, visit);
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const field of Object.values(value)) if (isCounted(field)) visit(field);
  }
}

/** Adds one holder to all pooled memory that a stream value carries. */
export function retain(value: unknown): void {
  visitCounted(value, (block) => block.retain());
}

/** Removes one holder from all pooled memory that a stream value carries. */
export function release(value: unknown): void {
  visitCounted(value, (block) => block.release());
}
