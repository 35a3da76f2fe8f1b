import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { root } from "./documented-exports.js";

const require = createRequire(import.meta.url);

/** Where a name comes from that an example uses without saying so. */
export interface Names {
  readonly library: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
  readonly world: ReadonlySet<string>;
}

const FOREIGN: Readonly<Record<string, string>> = {
  tf: 'import * as tf from "@tensorflow/tfjs-core";\nimport "@tensorflow/tfjs-layers";',
  tfl: 'import * as tfl from "@tensorflow/tfjs-layers";',
  writeFile: 'import { writeFile } from "node:fs/promises";',
  writeFileSync: 'import { writeFileSync } from "node:fs";',
  opendir: 'import { opendir } from "node:fs/promises";',
  readFile: 'import { readFile } from "node:fs/promises";',
  delay: 'import { delay } from "rxjs";',
};

/** Identifiers that stand for a value or a type and are not declared by the example itself. */
function freeNames(source: ts.SourceFile): Set<string> {
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isKey =
        (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
        (ts.isPropertyAssignment(parent) && parent.name === node) ||
        (ts.isMethodDeclaration(parent) && parent.name === node) ||
        (ts.isBindingElement(parent) && parent.propertyName === node);
      const isDeclaration =
        (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent) || ts.isFunctionDeclaration(parent)) &&
        parent.name === node;
      if (isDeclaration) declared.add(node.text);
      else if (!isKey) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const name of declared) used.delete(name);
  return used;
}

/** A module whose default export does what the example says and gives back its last value; an example that exports is a module already. */
export function exampleModule(example: string, { library, types, world }: Names): string {
  const source = ts.createSourceFile("example.ts", example, ts.ScriptTarget.ES2022, true);
  const names = [...freeNames(source)];
  const fromLibrary = names.filter((name) => library.has(name) && !FOREIGN[name]);
  const fromWorld = names.filter((name) => world.has(name) && !library.has(name) && !FOREIGN[name]);
  const fromTypes = names.filter((name) => types.has(name));
  const imports = [
    ...names.flatMap((name) => FOREIGN[name] ?? []),
    ...(fromLibrary.length > 0 ? [`import { ${fromLibrary.join(", ")} } from "voxstream";`] : []),
    ...(fromTypes.length > 0 ? [`import type { ${fromTypes.join(", ")} } from "voxstream";`] : []),
    ...(fromWorld.length > 0 ? [`import { ${fromWorld.join(", ")} } from "./example-world.js";`] : []),
  ];
  const isModule = source.statements.some(
    (statement) => ts.isExportAssignment(statement) || (ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.length),
  );
  if (isModule) return `${imports.join("\n")}\n${example}\n`;
  const last = source.statements.at(-1);
  const body =
    last && ts.isExpressionStatement(last)
      ? `${example.slice(0, last.getStart())}return ${example.slice(last.getStart())}`
      : `${example}\n;return undefined;`;
  return `${imports.join("\n")}\nexport default async function example() {\n${body}\n}\n`;
}

/** What the example says that its last line gives, where it says so as JSON; a list may stand without brackets. */
export function promisedValue(example: string): unknown {
  const comment = /\/\/ (.+)$/.exec(example.trimEnd().split("\n").at(-1)!)?.[1];
  for (const text of comment === undefined ? [] : [comment, `[${comment}]`]) {
    try {
      return JSON.parse(text);
    } catch {
      // Prose.
    }
  }
  return undefined;
}

/** JavaScript that plain Node runs from any folder: bare names become the files of this checkout, `voxstream` what tests run in `dist/`. */
export function runnable(module: string): string {
  const { outputText } = ts.transpileModule(module, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
  });
  return outputText.replaceAll(/(from |import )"([^"]+)"/g, (all, keyword: string, name: string) => {
    if (name.startsWith("node:")) return all;
    if (name.startsWith("./")) return `${keyword}"${name.replace(/\.js$/, ".mjs")}"`;
    return `${keyword}"${name === "voxstream" ? pathToFileURL(`${root}dist/index.js`).href : pathToFileURL(require.resolve(name)).href}"`;
  });
}
