import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, Visitor } from "../src/visitor";
import { publish } from "../src/wire";

let program: Program;
let browser: Browser;
let ada: Visitor;

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  ada = await Visitor.join(browser, program.url, "Ada");
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

const badge = (room: string) =>
  ada.page.getByRole("link", { name: new RegExp(`^${room}\\b`) }).locator(".badge");

test("counts what is unread in other rooms, marks it, and forgets it once it was read", async () => {
  await publish(ada.page, "chat:help", [{ text: "is anyone there?" }, { text: "hello?" }]);
  await badge("help").filter({ hasText: "2 unread" }).waitFor();
  expect(await ada.page.title()).toBe("(2) #lobby · Earshot");
  await ada.chat.openRoom("help");
  await ada.page.locator(".unread-line").waitFor();
  expect(await badge("help").count()).toBe(0);
  await ada.page.waitForFunction(() => document.title === "#help · Earshot");
  await ada.chat.openRoom("lobby");
  expect(await badge("help").count()).toBe(0);
});

test("counts across a reload what came meanwhile", async () => {
  await ada.page.goto("about:blank");
  const other = await Visitor.join(browser, program.url, "Other");
  await publish(other.page, "chat:random", [{ text: "while you were away" }]);
  await other.close();
  await ada.page.goto(program.url);
  await badge("random").filter({ hasText: "1 unread" }).waitFor();
});

test("makes a room by name, lists it, keeps it, and leaves it", async () => {
  await ada.page.getByRole("button", { name: "Create or join a room" }).click();
  await ada.page.getByRole("textbox", { name: "Room name" }).fill("Tea & Kitchen!");
  await ada.page.getByRole("button", { name: "Open room" }).click();
  await ada.page.getByRole("heading", { level: 1, name: "tea-&-kitchen!" }).waitFor();
  await ada.chat.say("first");
  await ada.chat.sees("first", "committed");
  await ada.page.reload();
  await ada.chat.sees("first", "committed");
  await ada.page.getByRole("button", { name: "Leave tea-&-kitchen!" }).click();
  await ada.page.getByRole("heading", { level: 1, name: "lobby" }).waitFor();
  expect(await ada.page.getByRole("link", { name: /^tea/ }).count()).toBe(0);
});

test("opens the room that a link names, and goes back with the browser's own button", async () => {
  await ada.page.goto(`${program.url}/#/${encodeURIComponent("tea-&-kitchen!")}`);
  await ada.chat.sees("first", "committed");
  await ada.chat.openRoom("help");
  await ada.page.goBack();
  await ada.page.getByRole("heading", { level: 1, name: "tea-&-kitchen!" }).waitFor();
});

test("keeps what was being written in each room", async () => {
  await ada.chat.openRoom("lobby");
  await ada.chat.composer.fill("half a thou");
  await ada.chat.openRoom("help");
  expect(await ada.chat.composer.inputValue()).toBe("");
  await ada.chat.openRoom("lobby");
  expect(await ada.chat.composer.inputValue()).toBe("half a thou");
  await ada.chat.composer.fill("");
});

test("keeps the name, shows the new one to others, and groups by it", async () => {
  await ada.page.getByRole("button", { name: "Change your name" }).click();
  await ada.page.getByRole("textbox", { name: "Name" }).fill("Ada Lovelace");
  await ada.page.getByRole("radio", { name: "Colour 9" }).check();
  await ada.page.getByRole("button", { name: "Save" }).click();
  await ada.page.reload();
  await ada.chat.say("under a new name");
  const other = await Visitor.join(browser, program.url, "Other");
  await other.chat.sees("under a new name");
  const line = (await other.chat.lines()).find(({ text }) => text === "under a new name");
  expect(line?.by).toBe("Ada Lovelace");
  await other.close();
});

test("two tabs of one browser are one person, and do not send twice", async () => {
  const tab = await ada.otherTab(program.url);
  await tab.chat.ready();
  await tab.chat.say("from the other tab");
  await ada.chat.sees("from the other tab", "committed");
  expect((await ada.chat.lines()).at(-1)).toEqual({
    by: "You",
    text: "from the other tab",
    state: "committed",
  });
  expect(tab.unexpected()).toEqual([]);
});

test("nothing went wrong on the page", () => {
  expect(ada.unexpected()).toEqual([]);
});
