import { realpath, stat } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { describe, errorMessage, requireOption, VoxError } from "../core/errors.js";
import { splitAddress } from "../core/record-case-sources.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { buildServer } from "./build-server.js";
import type { CaseFiles } from "./cases/find-case-volume.js";
import { VolumeConverter } from "./cases/volume-converter.js";
import { RunCatalog } from "./live/run-catalog.js";

export interface StartDashboardOptions {
  /** Folder of run folders, or one run folder. */
  readonly runs: string;
  /** Address to listen on; any other than this machine's own needs a token. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port?: number;
  /** At least 16 characters; then every reader must know it. */
  readonly token?: string;
  /**
   * What those must know who want to control a run (pause, stop, checkpoint) on a dashboard that everybody on this machine may read; at least 16 characters.
   * A `token` serves for both. Without either nothing can be controlled.
   */
  readonly controlToken?: string;
  /** Folders of cases in one of the layouts that Voxstream reads: images and label maps of predicted cases are shown from there, and from nowhere else. */
  readonly data?: readonly string[];
  /** Files of single cases that may be shown, for cases in another layout. */
  readonly cases?: readonly DashboardCase[];
  /** How often the files are looked at, in milliseconds. */
  readonly pollMs?: number;
  /** Requests that one client may make in a minute. */
  readonly rate?: number;
}

/** The files of a case, in any format that is read. */
export interface DashboardCase extends CaseFiles {
  readonly id: string;
}

export interface Dashboard {
  /** Address to open, such as `http://127.0.0.1:6180/`. */
  readonly url: string;
  close(): Promise<void>;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

/**
 * Serves the live dashboard of a folder of runs. It only reads, so it may start before, during or after a training, restart at will, and watch runs that another
 * machine writes.
 *
 * @throws `ERR_OPTION` for a port, interval or token outside its rule, or a host that is not this machine without a token
 * @throws `ERR_SERVER` when the folder does not exist or the port is taken
 * @example
 * const { url, close } = await startDashboard({ runs: "runs" });
 */
export async function startDashboard({
  runs,
  host = "127.0.0.1",
  port = 0,
  token,
  controlToken,
  data = [],
  cases = [],
  pollMs = 500,
  rate = 3000,
  ...unknown
}: StartDashboardOptions): Promise<Dashboard> {
  requireKnownOptions("startDashboard", unknown, ["runs", "host", "port", "token", "controlToken", "data", "cases", "pollMs", "rate"]);
  const where = "dashboard";
  requireOption(Number.isInteger(port) && port >= 0 && port <= 65535, where, "port", "an integer in 0..65535", port);
  requireOption(pollMs >= 20 && pollMs <= 60_000, where, "pollMs", "20..60000 ms", pollMs);
  requireOption(Number.isInteger(rate) && rate >= 10, where, "rate", "an integer of at least 10 per minute", rate);
  for (const [name, value] of Object.entries({ token, controlToken })) {
    const isGood = value === undefined || /^[\x21-\x7e]{16,}$/.test(value);
    requireOption(isGood, where, name, "at least 16 printable ASCII characters without spaces", maskToken(value));
  }
  requireOption(
    token !== undefined || LOOPBACK.has(host),
    where,
    "token",
    `given when the host is not 127.0.0.1, ::1 or localhost but ${host}`,
    token,
  );
  const root = await findRoot(runs, "runs");
  const dataRoots = await Promise.all(data.map((folder) => findRoot(folder, "data")));
  const catalog = new RunCatalog({ root, pollMs });
  const closing = new AbortController();
  const converter = new VolumeConverter(closing.signal);
  const server = await buildServer({
    catalog,
    data: dataRoots,
    cases: await realCases(cases),
    hasToken: (token ?? controlToken) !== undefined,
    token,
    controlToken,
    rate,
    converter,
    closing: closing.signal,
  });
  try {
    await catalog.start();
    await server.listen({ host, port });
  } catch (error) {
    closing.abort();
    await catalog.close();
    await server.close();
    throw new VoxError(`cannot listen on ${host}:${port} (${errorMessage(error)})`, { code: "ERR_SERVER", where, cause: error });
  }
  const { address, family, port: bound } = server.server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${bound}/`,
    close: async () => {
      closing.abort();
      await server.close();
      await converter.close();
      await catalog.close();
    },
  };
}

async function findRoot(folder: string, option: string): Promise<string> {
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    throw new VoxError(`${option} must be an existing folder, got ${describe(folder)}`, { code: "ERR_SERVER", where: "dashboard", cause: error });
  }
  throw new VoxError(`${option} must be a folder, got the file ${describe(folder)}`, { code: "ERR_SERVER", where: "dashboard" });
}

/** Only files that are there. */
async function realCases(cases: readonly DashboardCase[]): Promise<ReadonlyMap<string, CaseFiles>> {
  const real = async (path: string | undefined) => {
    if (path === undefined) return undefined;
    const [place, options] = splitAddress(path);
    return realpath(place).then(
      (found) => `${found}${options}`,
      () => undefined,
    );
  };
  const found = new Map<string, CaseFiles>();
  for (const { id, image, label, reading } of cases) {
    const [imagePath, labelPath] = [await real(image), await real(label)];
    found.set(id, {
      ...(imagePath !== undefined && { image: imagePath }),
      ...(labelPath !== undefined && { label: labelPath }),
      ...(reading && { reading }),
    });
  }
  return found;
}

/** A token that breaks the rule must not show up in logs. */
function maskToken(token: string | undefined): string | undefined {
  return token === undefined ? undefined : `${token.length} characters`;
}
