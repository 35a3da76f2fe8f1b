/** What a source calls an item in messages: the value's own `id`, else its index, with the epoch in front when there are several. */
export function itemId(value: unknown, place: string): string {
  const id = (value as { readonly id?: unknown } | null | undefined)?.id;
  return typeof id === "string" ? id : place;
}
