/** The compiled form of a file of this part, by its path in it: threads cannot load TypeScript, so a caller that itself runs from src/ starts them from dist/. */
export function distUrl(name: string): URL {
  return new URL(import.meta.url.endsWith(".ts") ? `../../dist/training/${name}` : `./${name}`, import.meta.url);
}
