import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The path of the built program. */
    binary: string;
  }
}

/** Builds the program from its sources, once for all tests. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "earshot-e2e-"));
  const binary = join(folder, "earshot");
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  execFileSync("go", ["build", "-buildvcs=false", "-o", binary, "./cmd/earshot"], { cwd: root });
  project.provide("binary", binary);
  return () => rmSync(folder, { recursive: true });
}
