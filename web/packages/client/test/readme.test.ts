import { readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const here = new URL("./", import.meta.url).pathname;
const blocks = [...readFileSync(`${here}../README.md`, "utf8").matchAll(/```ts\n(.*?)```/gs)].map(
  ([, code = ""]) => code,
);

/** What the examples take as given. */
const given = `
  import type { Channel, Client } from "@earshot/client";
  declare global {
    const es: Client;
    const lobby: Channel<{ text: string }>;
    let saved: string | undefined;
    function render(text: string, user: string, time: Date): void;
    function show(text: string): void;
    function reload(): Promise<void>;
  }`;

/** The compiler's complaints about a module that stands beside the tests. */
function complaints(code: string): string[] {
  const name = `${here}example.ts`;
  const { config } = ts.readConfigFile(`${here}../tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, `${here}..`);
  options.noUnusedLocals = false;
  options.paths = { "@earshot/client": [`${here}../src/index.ts`] };
  const files = new Map([
    [name, `${code}\nexport {};`],
    [`${here}given.ts`, given],
  ]);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, language) => ts.createSourceFile(path, host.readFile(path) ?? "", language);
  const program = ts.createProgram([...files.keys()], options, host);
  const source = program.getSourceFile(name);
  return program
    .getSemanticDiagnostics(source)
    .map((each) => ts.flattenDiagnosticMessageText(each.messageText, " "));
}

describe("the examples of the README compile", { timeout: 60_000 }, () => {
  test.each(blocks)("%s", (code) => {
    expect(complaints(code)).toEqual([]);
  });

  test("and what does not is noticed", () => {
    expect(complaints("es.channel(5);")).toHaveLength(1);
    expect(blocks.length).toBeGreaterThanOrEqual(6);
  });
});
