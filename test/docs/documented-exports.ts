import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface DocTag {
  readonly name: string;
  readonly text: string;
}

/** One export of the library with its doc comment. */
export interface DocumentedExport {
  readonly name: string;
  /** Under `src/`. */
  readonly file: string;
  readonly isFunction: boolean;
  /** As declared; of a function the type that it returns, of a constant its own. */
  readonly type: string;
  /** Type of the first parameter, as declared. */
  readonly parameter: string;
  readonly text: string;
  readonly tags: readonly DocTag[];
  /** The declaration with its body. */
  readonly code: string;
}

const { options } = ts.getParsedCommandLineOfConfigFile(
  `${root}tsconfig.json`,
  { noEmit: true },
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
    },
  },
)!;

export const library = ts.createProgram([`${root}src/index.ts`], options);

/** Functions, classes and constants that `import … from "voxstream"` can name. */
export function documentedExports(): DocumentedExport[] {
  const checker = library.getTypeChecker();
  const index = checker.getSymbolAtLocation(library.getSourceFile(`${root}src/index.ts`)!)!;
  return checker.getExportsOfModule(index).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const declaration = symbol.declarations?.find(
      (node) => ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isVariableDeclaration(node),
    ) as ts.FunctionDeclaration | ts.ClassDeclaration | ts.VariableDeclaration | undefined;
    if (!declaration) return [];
    const isFunction = ts.isFunctionDeclaration(declaration);
    return {
      name: exported.name,
      file: declaration.getSourceFile().fileName.slice(`${root}src/`.length),
      isFunction,
      type: ts.isClassDeclaration(declaration) ? "" : (declaration.type?.getText() ?? ""),
      parameter: isFunction ? (declaration.parameters[0]?.type?.getText() ?? "") : "",
      text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
      tags: symbol.getJsDocTags(checker).map(({ name, text }) => ({ name, text: ts.displayPartsToString(text) })),
      code: declaration.getText(),
    };
  });
}

/** What `import type … from "voxstream"` can name. */
export function typeNames(): Set<string> {
  const checker = library.getTypeChecker();
  const index = checker.getSymbolAtLocation(library.getSourceFile(`${root}src/index.ts`)!)!;
  const isType = (symbol: ts.Symbol): boolean => {
    const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return (flags & ts.SymbolFlags.Type) !== 0 && (flags & ts.SymbolFlags.Value) === 0;
  };
  return new Set(
    checker
      .getExportsOfModule(index)
      .filter(isType)
      .map(({ name }) => name),
  );
}

/** Messages of the compiler about modules that do not lie on disk; `text` by file name under `test/docs/`. */
export function typeErrors(modules: ReadonlyMap<string, string>): string[] {
  const files = new Map([...modules].map(([name, text]) => [`${root}test/docs/${name}`, text]));
  // Examples leave out types that a reader does not need.
  const loose = { ...options, noImplicitAny: false, noUnusedLocals: false, noUnusedParameters: false };
  const host = ts.createCompilerHost(loose);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name);
    if (text !== undefined) return ts.createSourceFile(name, text, rest[0], true);
    return library.getSourceFile(name) ?? getSourceFile(name, ...rest);
  };
  const program = ts.createProgram([...files.keys()], loose, host);
  return [...files.keys()].flatMap((name) => {
    const source = program.getSourceFile(name)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${name.slice(`${root}test/docs/`.length)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
  });
}
