import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: sources(),
    outdir: "dist",
    outbase: "src",
    format: "esm",
    target: "node20",
    platform: "node",
    sourcemap: true,
    logLevel: "warning",
    write: false,
  });
  for (const { path, contents } of outputFiles) replaceFile(path, contents);
}

/** A thread of another process may be loading the file: it sees the old text or the new one, and what did not change stays untouched. */
function replaceFile(path, contents) {
  try {
    if (readFileSync(path).equals(contents)) return;
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
  }
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await transpile();
