import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder = "";
beforeAll(() => {
  mkdirSync(join(root, "test/artifacts"), { recursive: true });
  // Inside the repository, so that packages are found.
  folder = mkdtempSync(join(root, "test/artifacts/workers-"));
  cpSync(join(root, "dist"), join(folder, "dist"), {
    recursive: true,
    // A page of the dashboard that is built meanwhile comes and goes file by file.
    filter: (path) => !path.endsWith(".map") && path !== join(root, "dist/server"),
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runScript(name: string, script: string): Promise<{ stdout: string; stderr: string }> {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `import { createTaskPool } from "./dist/workers/index.js";\n${script}`);
  return promisify(execFile)(process.execPath, [file], { timeout: 220_000 });
}

test("the built pool works in a plain process, which ends by itself when nothing runs", async () => {
  const { stdout, stderr } = await runScript(
    "plain",
    `const tasks = createTaskPool({ threads: 2 });
     const url = "data:text/javascript,export const twice = (x) => 2 * x";
     console.log(await tasks.run("module", { url, export: "twice", payload: 21 }));`,
  );
  expect({ stdout, stderr }).toEqual({ stdout: "42\n", stderr: "" });
});

test("pools are destroyed at any moment of their start, and the process lives on", { timeout: 240_000 }, async () => {
  // Node 20 dies of a thread that is ended while it loads its entry: about one in two hundred, more when the machine is busy.
  const { stdout, stderr } = await runScript(
    "early",
    `let longest = 0;
     for (let wait = 0; wait < 60; wait += 2) {
       const tasks = createTaskPool({ threads: 2 });
       await new Promise((resolve) => setTimeout(resolve, wait));
       const began = performance.now();
       await tasks.destroy();
       longest = Math.max(longest, performance.now() - began);
     }
     console.log("alive", longest < 10_000);`,
  );
  expect({ stdout, stderr }).toEqual({ stdout: "alive true\n", stderr: "" });
});

test("a process that was stopped and goes on, as by Ctrl-Z, does not take its silent tasks for dead", async () => {
  const file = join(folder, "stopped.mjs");
  // Two seconds without a sign of life, in short naps: time that passes while the process is stopped is none of it. It is looked at every second.
  writeFileSync(
    join(folder, "quiet.mjs"),
    `import { writeSync } from "node:fs";
     const word = new Int32Array(new SharedArrayBuffer(4));
     const nap = (count) => { while (count-- > 0) Atomics.wait(word, 0, 0, 50); };
     export const quiet = () => { nap(28); writeSync(1, "begun "); nap(12); return "alive"; };`,
  );
  writeFileSync(
    file,
    `import { createTaskPool } from "./dist/workers/index.js";
     const tasks = createTaskPool({ threads: 1, retries: 0, stallTimeout: 10_000 });
     console.log(await tasks.run("module", { url: new URL("quiet.mjs", import.meta.url).href, export: "quiet", payload: 0 }).catch((error) => error.message));
     await tasks.destroy();`,
  );
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.stdout.on("data", (text) => {
    if (said === "") {
      child.kill("SIGSTOP");
      setTimeout(() => child.kill("SIGCONT"), 11_000);
    }
    said += text;
  });
  await ended;
  expect(said).toBe("begun alive\n");
});

test("threads that cannot start fail their tasks instead of leaving them waiting", async () => {
  writeFileSync(join(folder, "dist/workers/task-worker.js"), `import "a-package-that-is-not-there";`);
  const { stdout } = await runScript(
    "broken",
    `const tasks = createTaskPool({ threads: 2 });
     const fail = (error) => console.log(error.code, error.message.split("\\n")[0]);
     await Promise.all([tasks.run("module", {}).catch(fail), tasks.run("module", {}).catch(fail)]);
     await tasks.run("module", {}).catch(fail);
     await tasks.destroy();`,
  );
  const lines = stdout.trim().split("\n");
  expect(lines.length).toBe(3);
  for (const line of lines)
    expect(line).toMatch(/^ERR_WORKER createTaskPool: worker threads must be able to start, but Cannot find package 'a-package-that-is-not-there'/);
});
