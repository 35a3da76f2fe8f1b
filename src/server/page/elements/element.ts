type Attribute = string | number | boolean | undefined | ((event: Event) => void);
export type Child = Node | string | number | undefined | readonly Child[];

/**
 * Makes an HTML element. Text becomes text nodes, never markup: case ids and metric names come from files and may hold anything.
 * `on…` attributes are event listeners; `true` sets an empty attribute; `false` and undefined leave it out.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill<Target extends Element>(target: Target, attributes: Readonly<Record<string, Attribute>>, children: readonly Child[]): Target {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") target.addEventListener(name.slice(2), value);
    else target.setAttribute(name, value === true ? "" : String(value));
  }
  append(target, children);
  return target;
}

function append(target: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined) continue;
    if (Array.isArray(child)) append(target, child);
    else target.append(child instanceof Node ? child : String(child));
  }
}

/** Sets the text only when it differs, so that screen readers are told about changes alone. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
