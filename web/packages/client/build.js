// Bundles the client into one readable ES module; the application's own bundler minifies it.
import { build } from "esbuild";

await build({
  entryPoints: ["src/index.ts"],
  outfile: "dist/index.js",
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
});
