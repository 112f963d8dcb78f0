import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";

const here = new URL("./", import.meta.url).pathname;
const pages = ["../README.md", "../../../../docs/concepts/inbox.md"];
const blocks = pages.flatMap((page) =>
  [...readFileSync(`${here}${page}`, "utf8").matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code),
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
    const input: HTMLInputElement;
    function reload(): Promise<void>;
  }`;

const wrong = "es.channel(5);";

/** The compiler's complaints about each of some modules that stand beside the tests. */
function complaints(modules: readonly string[]): string[][] {
  const { config } = ts.readConfigFile(`${here}../tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, `${here}..`);
  options.noUnusedLocals = false;
  options.paths = {
    "@earshot/client": [`${here}../src/index.ts`],
    "@earshot/client/*": [`${here}../src/*.ts`],
  };
  const names = modules.map((_, i) => `${here}example-${i}.ts`);
  const files = new Map(names.map((name, i) => [name, `${modules[i]}\nexport {};`]));
  files.set(`${here}given.ts`, given);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, language) => ts.createSourceFile(path, host.readFile(path) ?? "", language);
  const program = ts.createProgram([...files.keys()], options, host);
  return names.map((name) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(name))
      .map((each) => ts.flattenDiagnosticMessageText(each.messageText, " ")),
  );
}

test("the examples of the pages compile", { timeout: 120_000 }, () => {
  expect(blocks.length).toBeGreaterThanOrEqual(10);
  const [noticed, ...found] = complaints([wrong, ...blocks]);
  expect(noticed).toHaveLength(1);
  expect(found).toEqual(blocks.map(() => []));
});
