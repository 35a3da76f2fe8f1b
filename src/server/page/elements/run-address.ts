/** The address of a view of a run within the page, and of a case in it. */
export function runAddress(id: string, view = "training", subject?: string): string {
  const rest = subject === undefined ? "" : `/${encodeURIComponent(subject)}`;
  return `#/run/${encodeURIComponent(id)}/${view}${rest}`;
}
