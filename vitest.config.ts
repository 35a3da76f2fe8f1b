import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    reporters: ["default", "./test/summary-reporter.ts"],
    // Ten times what the slowest takes on a quiet machine: limits are for what hangs, not for what is slow on a busy one.
    testTimeout: 120_000,
    // The first start of an engine after a build checks its operations.
    hookTimeout: 240_000,
    // A second would be for a quiet machine.
    expect: { poll: { timeout: 60_000 } },
    // Two cores: more processes only slow each other down, and several tests start threads of their own.
    pool: "forks",
    maxWorkers: 2,
    coverage: { provider: "v8", include: ["src/**/*.ts"], exclude: ["src/server/page/**"] },
  },
});
