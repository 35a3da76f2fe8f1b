import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const docs = readFileSync(join(root, "docs/streams.md"), "utf8");
const examples: { readonly title: string; readonly code: string }[] = [];
let section = "The first graph";
for (const [, heading, code] of docs.matchAll(/^## (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
  if (heading !== undefined) section = heading;
  else examples.push({ title: section, code: code! });
}

mkdirSync(join(root, "test/artifacts"), { recursive: true });
const folder = mkdtempSync(join(root, "test/artifacts/docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The modules that the examples need, without the network engine. */
const MODULES = ["streams/index", "workers/index", "core/slab-pool", "core/volume", "core/geometry", "core/retain"];

test("there is an example for every section that shows code", () => {
  expect(examples.length).toBe(7);
});

test.each(examples)("the example of '$title' prints what it says", async ({ title, code }) => {
  const file = join(folder, `${title.replace(/\W+/g, "-")}.mjs`);
  await build({
    stdin: { contents: code, loader: "ts", resolveDir: root },
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "silent",
    plugins: [
      {
        name: "voxstream",
        setup(setup) {
          setup.onResolve({ filter: /^voxstream$/ }, () => ({ path: "voxstream", namespace: "vox" }));
          setup.onLoad({ filter: /.*/, namespace: "vox" }, () => ({
            contents: MODULES.map((name) => `export * from ${JSON.stringify(join(root, "dist", `${name}.js`))};`).join("\n"),
            resolveDir: root,
          }));
          // Not bundled, so that a worker finds its entry beside the pool.
          setup.onResolve({ filter: /\/dist\/.*\.js$|^rxjs$/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  const expected = [...code.matchAll(/^\/\/ → (.*)$/gm)].map((match) => match[1]);
  expect(stdout.trimEnd().split("\n")).toEqual(expected);
});

/** The text of a module and of all that it exports with `*`. */
function exportedBy(file: string): string {
  const text = readFileSync(join(root, "src", file), "utf8");
  const starred = [...text.matchAll(/export \* from "(\.[^"]+)\.js"/g)].map((match) => exportedBy(join(dirname(file), `${match[1]}.ts`)));
  return [text, ...starred].join("\n");
}

test("what the examples import is exported by the package", () => {
  const exported = exportedBy("index.ts");
  for (const { code } of examples) {
    const names = /import \{([^}]*)\} from "voxstream"/
      .exec(code)![1]!
      .split(",")
      .map((name) => name.replace("type", "").trim());
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(exported))).toEqual([]);
  }
});
