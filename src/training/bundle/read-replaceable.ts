import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** How often files are read anew at most: a training that replaces them faster than they can be read is none. */
const MOST_TRIES = 20;
const PAUSE_MS = 50;

/**
 * Reads a folder that `replaceFolder` may replace meanwhile, as a training does with its checkpoints. When `read` fails, as it must where files do not fit
 * together, and the folder is another one by then or steps aside just now, it is called again.
 */
export async function readReplaceable<T>(folder: string, read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const before = await identityOf(folder);
    try {
      return await read();
    } catch (error) {
      const isSame = before !== undefined && before === (await identityOf(folder));
      // Without one beside it that steps aside, a folder that is missing will not come back.
      const mayChange = !isSame && (before !== undefined || existsSync(`${folder}.old`) || existsSync(folder));
      if (!mayChange || tries === MOST_TRIES) throw error;
    }
    if (before === undefined) await sleep(PAUSE_MS);
  }
}

/** Differs for a folder that another one was renamed to, also where the system uses numbers of deleted folders again. */
async function identityOf(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino, ctimeNs } = await stat(folder, { bigint: true });
    return `${dev} ${ino} ${ctimeNs}`;
  } catch {
    // Not there, or not ours to see: reading it tells why.
    return undefined;
  }
}
