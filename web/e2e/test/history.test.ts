import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, Visitor } from "../src/visitor";
import { publish } from "../src/wire";

const count = 1200;
/** The most messages that the page may hold at once: maxShown in the app. */
const bound = 500;

let program: Program;
let browser: Browser;
let reader: Visitor;

const line = (i: number) => `line ${i}`;
const lines = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => line(first + i));
const write = (channel: string, texts: string[]) =>
  publish(
    reader.page,
    channel,
    texts.map((text) => ({ text, from: "Writer" })),
  );

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  reader = await Visitor.join(browser, program.url, "Reader");
  await write("chat:help", lines(1, 200));
  await write("chat:random", lines(1, count));
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

/** Returns the text of the first message in view and how far it is from the top of the log. */
function inView(): Promise<{ text: string; top: number }> {
  return reader.chat.log.evaluate((log) => {
    const edge = log.getBoundingClientRect().top;
    const message = [...log.querySelectorAll(".message")].find(
      (m) => m.getBoundingClientRect().bottom > edge,
    );
    return {
      text: message?.querySelector(".text")?.textContent ?? "",
      top: (message?.getBoundingClientRect().top ?? 0) - edge,
    };
  });
}

test("begins at the end with one page, and goes back page by page to the first message", async () => {
  await reader.page.goto(`${program.url}/#/help`);
  await reader.page.reload();
  await reader.chat.sees(line(200));
  await reader.chat.scrollBackTo(line(1));
  await reader.page.getByText("This is where #help begins").waitFor();
  expect(await reader.chat.texts()).toEqual(lines(1, 200));
});

test("what the reader looks at stays where it is while older messages come in above", async () => {
  await reader.page.reload();
  await reader.chat.sees(line(200));
  const before = await reader.page.evaluate(async () => {
    const log = document.querySelector<HTMLElement>(".log");
    const first = document.querySelector<HTMLElement>(".message");
    log?.scrollTo({ top: 40 });
    return { key: first?.dataset.key ?? "", top: first?.getBoundingClientRect().top ?? 0 };
  });
  await reader.page.waitForFunction(
    (key) => document.querySelector<HTMLElement>(".message")?.dataset.key !== key,
    before.key,
  );
  const after = await reader.page
    .locator(`[data-key="${before.key}"]`)
    .evaluate((m) => m.getBoundingClientRect().top);
  expect(Math.abs(after - before.top)).toBeLessThan(2);
});

test("holds a bounded part of a long room, on the way back to the first message and down again", async () => {
  await reader.chat.openRoom("random");
  await reader.chat.scrollBackTo(line(1));
  expect(await reader.chat.texts()).toEqual(lines(1, bound));
  while (!(await reader.chat.texts()).includes(line(count))) {
    const last = (await reader.chat.texts()).at(-1);
    await reader.chat.log.evaluate((log) => log.scrollTo({ top: log.scrollHeight }));
    await reader.page.waitForFunction(
      (text) => [...document.querySelectorAll(".message .text")].at(-1)?.textContent !== text,
      last,
    );
  }
  expect(await reader.chat.texts()).toEqual(lines(count - bound + 1, count));
});

test("does not move a reader who is elsewhere, and offers the way to what is new", async () => {
  await reader.chat.log.evaluate((log) => log.scrollTo({ top: log.scrollHeight / 2 }));
  const before = await inView();
  await write("chat:random", ["new 1", "new 2"]);
  const pill = reader.page.getByRole("button", { name: "2 new messages" });
  await pill.waitFor();
  expect(await inView()).toEqual(before);
  await pill.click();
  await pill.waitFor({ state: "detached" });
  await reader.page.getByText("new 2").first().waitFor();
  expect((await reader.chat.texts()).slice(-3)).toEqual([line(count), "new 1", "new 2"]);
});

test("follows the end for a reader who is there", async () => {
  await write(
    "chat:random",
    lines(1, 60).map((text) => `more ${text}`),
  );
  await reader.chat.sees("more line 60");
  const below = await reader.chat.log.evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop);
  expect(below).toBeLessThan(2);
});

test("shows a thousand messages that come at once, and stays bounded", async () => {
  await write(
    "chat:random",
    lines(1, 1000).map((text) => `flood ${text}`),
  );
  await reader.chat.sees("flood line 1000");
  const texts = await reader.chat.texts();
  expect(texts).toEqual(lines(501, 1000).map((text) => `flood ${text}`));
});

test("shows the newest at once to someone who scrolled away and writes", async () => {
  await reader.chat.scrollBackTo("flood line 1");
  await reader.chat.say("and I say");
  await reader.chat.sees("and I say", "committed");
  expect((await reader.chat.texts()).at(-1)).toBe("and I say");
});

test("nothing went wrong on the page", () => {
  expect(reader.unexpected()).toEqual([]);
});
