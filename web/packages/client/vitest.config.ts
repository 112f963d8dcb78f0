import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores are shared by everything that runs.
    maxWorkers: 2,
    // Bounds for a machine that does much else besides; nothing is measured.
    testTimeout: 30_000,
    expect: { poll: { timeout: 20_000, interval: 10 } },
  },
});
