import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // The client's source, not its build: one command builds the page, and one bundler drops what it does not use.
    alias: [
      { find: /^@earshot\/client$/, replacement: here("../../packages/client/src/index.ts") },
      { find: /^@earshot\/client\/(.*)$/, replacement: here("../../packages/client/src/$1.ts") },
    ],
  },
  build: {
    outDir: here("../../../internal/chat/assets"),
    emptyOutDir: true,
    // The Go side serves this folder as immutable: everything in it has a hash in its name.
    assetsDir: "static",
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: true,
  },
  server: {
    // `npm run dev` beside `earshot demo`.
    proxy: { "/live": { target: "http://127.0.0.1:8000", ws: true } },
  },
});
