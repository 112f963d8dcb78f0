import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "./src/build.ts",
    // One browser and one server at a time: the machine may have two cores.
    fileParallelism: false,
    // The files share nothing but the browser's driver, which takes seconds to load.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
