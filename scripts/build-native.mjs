import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** node-gyp comes with npm; npm names its path to the scripts it runs. */
export function nodeGyp() {
  const named = process.env.npm_config_node_gyp;
  if (named && existsSync(named)) return named;
  const npm = join(dirname(process.execPath), "../lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js");
  if (existsSync(npm)) return npm;
  try {
    return createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    return undefined;
  }
}

/** Where Node lies with its headers, so that node-gyp downloads none. npm names a place of its own to the scripts it runs. */
export function headers() {
  const prefix = join(dirname(process.execPath), "..");
  return process.env.npm_config_nodedir || !existsSync(join(prefix, "include/node/node_api.h")) ? [] : ["--nodedir", prefix];
}

/** Builds native/build/Release/voxstream.node. Returns the reason when it cannot. */
export function buildNative() {
  const gyp = nodeGyp();
  if (!gyp) return "node-gyp was not found";
  const result = spawnSync(process.execPath, [gyp, "configure", "build", "--directory", join(root, "native"), ...headers()], {
    encoding: "utf8",
    env: { ...process.env, JOBS: "max" },
    maxBuffer: 1 << 28,
  });
  if (result.status === 0) return undefined;
  const log = `${result.stdout}\n${result.stderr}`;
  return (
    log
      .split("\n")
      .find((line) => /error:|gyp ERR! stack|not found/i.test(line))
      ?.trim() ?? `node-gyp exited with ${result.status}`
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reason = buildNative();
  if (reason) {
    console.error(`native addon: not built (${reason})`);
    process.exit(1);
  }
  console.error("native addon: built");
}
