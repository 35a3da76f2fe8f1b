// Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer into a folder of its own and runs the kernel tests on it.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { headers, nodeGyp } from "./build-native.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const tests = process.argv.slice(2);
const ENGINE_TESTS = [
  "native-equals-cpu",
  "native-coverage",
  "winograd",
  "convolution-shapes",
  "odd-inputs",
  "odd-gradients",
  "tensor-memory",
  "optimizers",
  "threads",
];
const DEFAULT_TESTS = [...ENGINE_TESTS.map((name) => `test/engine/${name}.test.ts`), "test/kernels"];

function fail(message) {
  console.error(`test:native: ${message}`);
  process.exit(1);
}

function library(name) {
  const found = spawnSync("gcc", [`-print-file-name=${name}`], { encoding: "utf8" });
  const path = found.stdout?.trim() ?? "";
  return existsSync(path) ? path : undefined;
}

if (process.platform !== "linux") fail("needs Linux and gcc with libasan");
const [asan, ubsan, cxx] = ["libasan.so", "libubsan.so", "libstdc++.so"].map(library);
if (!asan || !ubsan || !cxx) fail("gcc with libasan and libubsan was not found");

// A copy, so that the release build beside it stays as it is.
const work = mkdtempSync(join(tmpdir(), "voxstream-asan-"));
for (const name of ["native", "src", "test", "scripts", "package.json", "vitest.config.ts", "tsconfig.json"]) {
  if (existsSync(join(root, name))) cpSync(join(root, name), join(work, name), { recursive: true, filter: (file) => !file.includes("native/build") });
}
mkdirSync(join(work, "dist"), { recursive: true });
symlinkSync(join(root, "node_modules"), join(work, "node_modules"));

const flags = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=alignment -fno-omit-frame-pointer -g -O1";
const build = spawnSync(process.execPath, [nodeGyp(), "rebuild", "--directory", join(work, "native"), ...headers()], {
  env: { ...process.env, CXXFLAGS: flags, CFLAGS: flags, LDFLAGS: "-fsanitize=address,undefined", JOBS: "max" },
  encoding: "utf8",
  maxBuffer: 1 << 28,
});
if (build.status !== 0) {
  console.error(`${build.stdout}\n${build.stderr}`.split("\n").slice(-40).join("\n"));
  fail("the sanitizer build failed");
}

const run = spawnSync(
  process.execPath,
  [
    join(dirname(fileURLToPath(import.meta.resolve("vitest/package.json"))), "vitest.mjs"),
    "run",
    "--hookTimeout=600000",
    "--testTimeout=600000",
    ...(tests.length > 0 ? tests : DEFAULT_TESTS),
  ],
  {
    cwd: work,
    stdio: "inherit",
    env: {
      ...process.env,
      LD_PRELOAD: `${asan} ${cxx}`,
      // Node keeps memory until its end on purpose.
      ASAN_OPTIONS: "detect_leaks=0:abort_on_error=1",
      UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
    },
  },
);
rmSync(work, { recursive: true, force: true });
if (run.status !== 0) fail(`the tests ended with ${run.status ?? run.signal}`);
console.error("test:native: no error found by the sanitizers");
