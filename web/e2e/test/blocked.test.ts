import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Blocker } from "../src/blocker";
import { Program } from "../src/program";
import { launch, Visitor } from "../src/visitor";

let program: Program;
let blocker: Blocker;
let browser: Browser;
let ada: Visitor;
let grace: Visitor;

beforeAll(async () => {
  program = await Program.start();
  blocker = await Blocker.start(program.url);
  browser = await launch();
  ada = await Visitor.join(browser, program.url, "Ada");
  grace = await Visitor.join(browser, blocker.url, "Grace");
});

afterAll(async () => {
  await browser?.close();
  await blocker?.stop();
  await program?.remove();
});

test("where WebSocket is blocked, people talk as ever", async () => {
  expect(blocker.refused).toBe(1);
  for (const [from, text] of [
    [ada, "hello from outside"],
    [grace, "hello from within"],
  ] as const) {
    await from.chat.say(text);
    for (const { chat } of [ada, grace]) await chat.sees(text, "committed");
  }
});

test("a reload does not ask for a WebSocket again", async () => {
  await grace.page.reload();
  await grace.chat.ready();
  await grace.chat.sees("hello from outside");
  expect(blocker.refused).toBe(1);
});

test("seven tabs work, although a browser has six connections", async () => {
  const tabs = [grace];
  while (tabs.length < 7) {
    const tab = await grace.otherTab(blocker.url);
    await tab.chat.ready();
    tabs.push(tab);
  }
  await ada.chat.say("to all tabs");
  for (const { chat } of tabs) await chat.sees("to all tabs");
  for (const [i, { chat }] of tabs.entries()) await chat.say(`from tab ${i}`);
  for (const [i] of tabs.entries()) await ada.chat.sees(`from tab ${i}`, "committed");
  expect(blocker.refused).toBe(1);
});
