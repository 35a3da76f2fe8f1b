import { open } from "node:fs/promises";
import { httpError } from "../http-error.js";

/** The text of a file of at most `mostBytes`; a larger one is refused rather than cut, because half a table or half JSON misleads. */
export async function readText(path: string, mostBytes: number): Promise<string> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    if (size > mostBytes) throw httpError(413, "dashboard", `file must be at most ${mostBytes} bytes to be shown, got ${size}`);
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
