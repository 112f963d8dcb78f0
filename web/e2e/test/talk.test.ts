import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, Visitor } from "../src/visitor";
import { history } from "../src/wire";

let program: Program;
let browser: Browser;
let ada: Visitor;
let grace: Visitor;

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  ada = await Visitor.join(browser, program.url, "Ada");
  grace = await Visitor.join(browser, program.url, "Grace");
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

/** Says something on one page, and waits until both have it as committed. */
async function talk(from: Visitor, text: string): Promise<void> {
  await from.chat.say(text);
  await Promise.all([ada, grace].map(({ chat }) => chat.sees(text, "committed")));
}

/** Compares what both pages show with the server's log, message by message. */
async function compareLogs(): Promise<string[]> {
  await Promise.all([ada, grace].map(({ chat }) => chat.settled()));
  const log = (await history(ada.page, "chat:lobby")).map(({ data }) => data.text);
  const shown = (line: { by: string; text: string }, me: string) =>
    `${line.by === "You" ? me : line.by}: ${line.text}`;
  const [byAda, byGrace] = await Promise.all([ada.chat.lines(), grace.chat.lines()]);
  expect(byAda.map((line) => shown(line, "Ada"))).toEqual(byGrace.map((line) => shown(line, "Grace")));
  expect(byAda.map(({ text }) => text)).toEqual(log);
  return log;
}

const said: string[] = [];

test("what one says, both see", async () => {
  for (let i = 1; i <= 5; i++) {
    for (const from of [ada, grace]) {
      const text = `before ${i} ${from === ada ? "Ada" : "Grace"}`;
      await talk(from, text);
      said.push(text);
    }
  }
  expect(await compareLogs()).toEqual(said);
});

test("both talk at the same time, and see one order", async () => {
  const all = await Promise.all(
    [ada, grace].map(async (from, who) => {
      const texts = Array.from({ length: 10 }, (_, i) => `at once ${who} ${i}`);
      for (const text of texts) await from.chat.say(text);
      return texts;
    }),
  );
  said.push(...all.flat());
  await Promise.all(
    [ada, grace].flatMap(({ chat }) => all.flat().map((text) => chat.sees(text, "committed"))),
  );
  const log = await compareLogs();
  expect(log.toSorted()).toEqual(said.toSorted());
  for (const texts of all) expect(log.filter((text) => texts.includes(text))).toEqual(texts);
});

test("what is written while the server is dead waits, and arrives once when it is back", async () => {
  await program.kill();
  await Promise.all([ada, grace].map(({ chat }) => chat.note.waitFor()));
  const waiting = { ada: ["Ada waits 1", "Ada waits 2"], grace: ["Grace waits"] };
  for (const text of waiting.ada) await ada.chat.say(text);
  for (const text of waiting.grace) await grace.chat.say(text);
  for (const text of waiting.ada) await ada.chat.sees(text, "sending");
  for (const text of waiting.grace) await grace.chat.sees(text, "sending");
  await program.start();
  const all = [...waiting.ada, ...waiting.grace];
  await Promise.all([ada, grace].flatMap(({ chat }) => all.map((text) => chat.sees(text, "committed"))));
  await Promise.all([ada, grace].map(({ chat }) => chat.note.waitFor({ state: "detached" })));
  said.push(...all);
  const log = await compareLogs();
  expect(log.toSorted()).toEqual(said.toSorted());
  expect(log.filter((text) => text.startsWith("Ada waits"))).toEqual(waiting.ada);
});

test("they talk on as before, also after more deaths in the middle of a sentence", async () => {
  for (let round = 1; round <= 3; round++) {
    const texts = [`cut ${round} a`, `cut ${round} b`];
    // Not waited for: the server dies with them on their way.
    await ada.chat.say(texts[0] ?? "");
    await program.kill();
    await ada.chat.say(texts[1] ?? "");
    await program.start();
    await talk(grace, `after ${round}`);
    await Promise.all(
      texts.flatMap((text) => [ada.chat.sees(text, "committed"), grace.chat.sees(text, "committed")]),
    );
    said.push(...texts, `after ${round}`);
  }
  expect((await compareLogs()).toSorted()).toEqual(said.toSorted());
});

test("a page that is loaded again shows the same log", async () => {
  await ada.page.reload();
  await ada.chat.ready();
  expect((await compareLogs()).toSorted()).toEqual(said.toSorted());
});

test("what was on its way when the page was loaded again arrives too, once", async () => {
  await program.kill();
  await ada.chat.say("written before the reload");
  await ada.chat.sees("written before the reload", "sending");
  await program.start();
  await ada.page.reload();
  await grace.chat.sees("written before the reload", "committed");
  said.push("written before the reload");
  await ada.chat.ready();
  expect((await compareLogs()).toSorted()).toEqual(said.toSorted());
});

test("nothing went wrong on either page", () => {
  expect([...ada.unexpected(), ...grace.unexpected()]).toEqual([]);
});
