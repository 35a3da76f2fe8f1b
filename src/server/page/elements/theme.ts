export type Theme = "auto" | "light" | "dark";

const KEY = "voxstream-theme";
const listeners = new Set<() => void>();
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/** Remembers and applies the choice; "auto" follows the system. */
export function setTheme(theme: Theme): void {
  remember(KEY, theme === "auto" ? undefined : theme);
  apply(theme);
}

export function currentTheme(): Theme {
  const theme = recall(KEY);
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Calls `listener` when colors change; canvases must be drawn anew then. Returns how to stop. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function startTheme(): void {
  apply(currentTheme());
  systemIsDark.addEventListener("change", () => apply(currentTheme()));
}

function apply(theme: Theme): void {
  document.documentElement.dataset.theme = theme === "auto" ? (systemIsDark.matches ? "dark" : "light") : theme;
  for (const listener of listeners) listener();
}

/** The current value of a color of the style sheet, such as `color("ink")`. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
}

export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}
