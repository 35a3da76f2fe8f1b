/** Text that is HTML already. */
export interface HtmlPart {
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/**
 * HTML with values in it: every value is escaped, unless it is HTML itself.
 *
 * @example
 * html`<b>${"a < b"}</b>`.text; // "<b>a &lt; b</b>"
 */
export function html(pieces: TemplateStringsArray, ...values: readonly (HtmlPart | string | number | undefined)[]): HtmlPart {
  const escaped = values.map((value) =>
    typeof value === "object" ? value.text : String(value ?? "").replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!),
  );
  return { text: String.raw({ raw: pieces }, ...escaped) };
}

/** Takes text as HTML; only for what this program wrote itself. */
export function raw(text: string): HtmlPart {
  return { text };
}

/** Parts one after another. */
export function joinHtml(parts: readonly HtmlPart[]): HtmlPart {
  return { text: parts.map(({ text }) => text).join("") };
}
