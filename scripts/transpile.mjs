import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Lists the TypeScript sources that run in Node (the page is built by vite). */
function sources(folder = "src") {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (path === "src/server/page") return [];
    if (statSync(join(root, path)).isDirectory()) return sources(path);
    return name.endsWith(".ts") && !name.endsWith(".d.ts") ? [path] : [];
  });
}

/** Writes src/**.ts to dist/**.js file by file, without type checks: for tests, where tsc would be too slow. */
export async function transpile() {
  await build({
    absWorkingDir: root,
    entryPoints: sources(),
    outdir: "dist",
    outbase: "src",
    format: "esm",
    target: "node20",
    platform: "node",
    sourcemap: true,
    logLevel: "warning",
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await transpile();
