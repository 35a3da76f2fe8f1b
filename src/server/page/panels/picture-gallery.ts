import { element, setText } from "../elements/element.js";

/** A picture of the run, with its name. */
export interface Picture {
  readonly title: string;
  readonly note: string;
  readonly address: string;
  /** Shown when enlarged, if another one than in the list. */
  readonly large?: string;
  /** Further ways from here, below the enlarged picture. */
  readonly links?: readonly { readonly text: string; readonly href: string }[];
}

/** A picture that enlarges when it is pressed; `show` is that of `enlarger`. */
export function pictureFigure(picture: Picture, show: (picture: Picture) => void, kind: string): HTMLElement {
  const { title, note, address } = picture;
  return element(
    "figure",
    { class: `picture ${kind}` },
    element(
      "button",
      { type: "button", class: "picture-button", "aria-label": `Enlarge ${title}`, onclick: () => show(picture) },
      element("img", {
        class: kind === "large" ? "picture-image-large" : undefined,
        src: address,
        alt: [title, note].filter(Boolean).join(", "),
        loading: "lazy",
        decoding: "async",
      }),
    ),
    element("figcaption", {}, element("span", { class: "picture-title" }, title), element("span", { class: "picture-note" }, note)),
  );
}

/** A dialog that shows one picture as large as the page allows; Escape, the button, and a press beside it close it. */
export function enlarger(): { readonly element: HTMLDialogElement; show(picture: Picture): void } {
  const image = element("img", { alt: "" });
  const caption = element("p", { class: "picture-title" });
  const ways = element("span", { class: "dialog-buttons" });
  const box: HTMLDialogElement = element(
    "dialog",
    { class: "large-picture", "aria-label": "Enlarged picture", onclick: (event) => event.target === box && box.close() },
    image,
    element("div", { class: "card-head" }, caption, ways),
  );
  return {
    element: box,
    show: ({ title, note, address, large, links = [] }) => {
      image.src = large ?? address;
      image.alt = [title, note].filter(Boolean).join(", ");
      setText(caption, image.alt);
      ways.replaceChildren(
        ...links.map(({ text, href }) => element("a", { class: "button", href, onclick: () => box.close() }, text)),
        element("a", { class: "button", href: large ?? address, download: "" }, "Save"),
        element("button", { type: "button", class: "button", onclick: () => box.close() }, "Close"),
      );
      box.showModal();
    },
  };
}
