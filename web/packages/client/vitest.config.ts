import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores are shared by everything that runs.
    maxWorkers: 2,
    testTimeout: 10_000,
  },
});
