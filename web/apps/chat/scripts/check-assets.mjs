// Builds the page into a temporary folder and fails unless it is what internal/chat/assets holds.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const app = fileURLToPath(new URL("..", import.meta.url));
const committed = fileURLToPath(new URL("../../../../internal/chat/assets", import.meta.url));

const fresh = await mkdtemp(join(tmpdir(), "earshot-chat-"));
try {
  await build({ root: app, logLevel: "warn", build: { outDir: fresh } });
  const differences = compare(await contents(committed), await contents(fresh));
  if (differences.length > 0) {
    console.error("internal/chat/assets is not what web/apps/chat builds:");
    for (const line of differences) console.error(`  ${line}`);
    console.error("Run `npm run build --workspace @earshot/chat` in web and commit the result.");
    process.exitCode = 1;
  } else console.log("internal/chat/assets matches its sources");
} finally {
  await rm(fresh, { recursive: true });
}

/** Returns the files below a folder, by their paths in it. */
async function contents(folder) {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((file) => join(file.parentPath ?? file.path, file.name));
  return new Map(
    await Promise.all(paths.map(async (path) => [relative(folder, path), await readFile(path)])),
  );
}

function compare(had, made) {
  const names = [...new Set([...had.keys(), ...made.keys()])].sort();
  return names.flatMap((name) => {
    const [before, after] = [had.get(name), made.get(name)];
    if (before === undefined) return [`missing: ${name}`];
    if (after === undefined) return [`left over: ${name}`];
    return before.equals(after) ? [] : [`different: ${name}`];
  });
}
