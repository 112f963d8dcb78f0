// Bundles the client into readable ES modules, one for each entry, with what they share in files of its own; the
// application's own bundler minifies them.
import { rm } from "node:fs/promises";
import { build } from "esbuild";

await rm("dist", { recursive: true, force: true });
await build({
  entryPoints: [
    "index",
    "map",
    "presence",
    "call",
    "typing",
    "read-cursor",
    "inbox",
    "unread",
    "http",
    "fallback",
    "msgpack",
  ].map((name) => `src/${name}.ts`),
  outdir: "dist",
  chunkNames: "shared/[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
});
