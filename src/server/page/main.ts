import "@fontsource/inter/latin-400.css";
import "@fontsource/inter/latin-500.css";
import "@fontsource/inter/latin-600.css";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/runs.css";
import "./styles/charts.css";
import "./styles/pipeline.css";
import "./styles/pictures.css";
import "./styles/volumes.css";
import "./styles/evaluation.css";
import "./styles/log.css";
import "./styles/narrow.css";
import "./styles/control.css";
import "./styles/samples.css";
import { logIn, onUnauthorized } from "./data/api-client.js";
import { element, setText } from "./elements/element.js";
import { currentTheme, setTheme, startTheme, type Theme } from "./elements/theme.js";
import { loginForm } from "./panels/login-form.js";
import { runPage } from "./run-page.js";
import type { View } from "./view.js";
import { compareView } from "./views/compare-view.js";
import { foldsView } from "./views/folds-view.js";
import { runsView } from "./views/runs-view.js";

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };
const THEME_WORDS: Readonly<Record<Theme, string>> = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

const main = element("main", { id: "view", tabindex: -1 });
const themeButton = element("button", { type: "button", class: "quiet", onclick: () => nextTheme() }, THEME_WORDS[currentTheme()]);
let view: (View & { show?(name: string, subject?: string): void }) | undefined;
let openRun: string | undefined;

function nextTheme(): void {
  setTheme(NEXT_THEME[currentTheme()]);
  setText(themeButton, THEME_WORDS[currentTheme()]);
}

function open(next: View & { show?(name: string, subject?: string): void }): void {
  view?.destroy();
  view = next;
  main.replaceChildren(next.element);
}

/** Shows what the address names: `#/`, `#/run/<id>/<view>`, `#/run/<id>/volumes/<case>`, `#/compare/<id>,<id>`, `#/folds/<name>`. */
function route(): void {
  const [, kind, argument = "", rest = "", subject] = location.hash.split("/");
  if (kind === "run" && argument !== "") {
    const id = decode(argument);
    if (openRun !== id || !view?.show) {
      const page = runPage(id);
      open(page);
      openRun = id;
    }
    view!.show!(rest, subject ? decode(subject) : undefined);
    return;
  }
  openRun = undefined;
  if (kind === "compare") {
    document.title = "Compare · Voxstream";
    open(compareView(argument.split(",").filter(Boolean).slice(0, 8).map(decode)));
    return;
  }
  if (kind === "folds" && argument !== "") {
    const name = decode(argument);
    document.title = `${name} · Voxstream`;
    open(foldsView(name));
    return;
  }
  document.title = "Runs · Voxstream";
  open(runsView());
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A damaged address names a run that does not exist, which the page then says.
    return text;
  }
}

function askForToken(): void {
  view?.destroy();
  view = undefined;
  openRun = undefined;
  main.replaceChildren(loginForm(route));
}

/** A link with `#token=…` logs in at once; the token leaves the address bar and the history before anything else happens. */
async function useTokenOfAddress(): Promise<void> {
  const match = /^#token=(.+)$/.exec(location.hash);
  if (!match) return;
  history.replaceState(null, "", `${location.pathname}#/`);
  await logIn(decode(match[1]!));
}

startTheme();
onUnauthorized(askForToken);
document
  .querySelector("#page")!
  .append(
    element(
      "header",
      { class: "bar" },
      element("a", { class: "brand", href: "#/" }, element("img", { src: "./icon.svg", alt: "", width: 26, height: 26 }), "Voxstream"),
      element("nav", { "aria-label": "Main" }, element("a", { class: "bar-link", href: "#/" }, "Runs")),
      themeButton,
    ),
    main,
  );
document.querySelector(".skip-link")!.addEventListener("click", (event) => {
  // A plain jump would change the address, which names the view.
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", route);
useTokenOfAddress().then(route, route);
