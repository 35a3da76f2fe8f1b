// What the examples share: the folder with their cases, and errors as one sentence instead of a stack.
import { existsSync } from "node:fs";

/** The path of a folder that is there; else the program ends and says how to make one. */
export function folderOfCases(path, options = "") {
  if (existsSync(path)) return path;
  console.error(`There is no folder ${path}. Make one with cases: voxstream phantom ${path}${options}`);
  process.exit(1);
}

// Errors of Voxstream have a code, and their message says what to do; of any other error the stack is of use.
process.on("uncaughtException", (error) => {
  console.error(error.code === undefined ? error : `${error.code}: ${error.message}`);
  process.exit(1);
});
