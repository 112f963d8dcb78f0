import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, Visitor } from "../src/visitor";

let program: Program;
let browser: Browser;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  visitor = await Visitor.open(browser, program.url);
  page = visitor.page;
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

/** Names what has the focus, as a screen reader would, and fails unless the focus can be seen. */
async function focused(): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return "nothing";
    const ring = getComputedStyle(element);
    const frame = element.closest(".composer-field, .field");
    const lit =
      frame === null ? "none" : getComputedStyle(frame.matches(".field") ? element : frame).boxShadow;
    const visible = ring.outlineStyle !== "none" || / 3px\b/.test(lit);
    const labels =
      element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.labels : null;
    const heard = element.cloneNode(true) as HTMLElement;
    for (const part of heard.querySelectorAll('[aria-hidden="true"]')) part.remove();
    const name = element.getAttribute("aria-label") ?? labels?.[0]?.textContent ?? heard.textContent ?? "";
    return `${visible ? "" : "INVISIBLE "}${name.trim()}`;
  });
}

/** Presses a key until something has the focus. */
async function pressUntil(key: string, name: RegExp): Promise<void> {
  for (let i = 0; i < 40; i++) {
    if (name.test(await focused())) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${name}`);
}

test("takes a name and writes, with nothing but keys", async () => {
  await expect.poll(focused).toBe("Name");
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  await visitor.chat.ready();
  expect(await focused()).toBe("Message to lobby");
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  await visitor.chat.sees("one\ntwo", "committed");
  expect((await visitor.chat.lines()).at(-1)?.text).toBe("one\ntwo");
});

test("an empty message and one of spaces are not sent", async () => {
  await page.keyboard.press("Enter");
  await page.keyboard.type("   ");
  await page.keyboard.press("Enter");
  await visitor.chat.composer.fill("after");
  await page.keyboard.press("Enter");
  await visitor.chat.sees("after", "committed");
  expect(await visitor.chat.texts()).toEqual(["one\ntwo", "after"]);
});

test("goes through everything in the order in which it stands, always visibly", async () => {
  await page.reload();
  await visitor.chat.ready();
  await page.getByRole("button", { name: /here$/ }).waitFor();
  await pressUntil("Tab", /^Skip/);
  const order: string[] = [];
  for (let i = 0; i < 11; i++) {
    order.push((await focused()).split(/(?<=.)\d|Ask|Any|You/)[0] ?? "");
    await page.keyboard.press("Tab");
  }
  expect(order).toEqual([
    "Skip to writing a message",
    "Create or join a room",
    "lobby",
    "random",
    "help",
    "Write to somebody",
    "Change your name",
    "1 person here",
    "Invite",
    "Messages in lobby",
    "Message to lobby",
  ]);
});

test("skips to the composer", async () => {
  await pressUntil("Shift+Tab", /^Skip/);
  await page.keyboard.press("Enter");
  expect(await focused()).toBe("Message to lobby");
});

test("goes to another room and stays among the rooms", async () => {
  await pressUntil("Shift+Tab", /^random/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "random" }).waitFor();
  expect(await focused()).toMatch(/^random/);
});

test("makes a room; Escape gives the focus back", async () => {
  await pressUntil("Shift+Tab", /^Create or join/);
  await page.keyboard.press("Enter");
  expect(await focused()).toBe("Room name");
  await page.keyboard.press("Escape");
  expect(await focused()).toBe("Create or join a room");
  await page.keyboard.press("Enter");
  await page.keyboard.type("key room");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "key-room" }).waitFor();
  await page.waitForFunction(() => document.activeElement?.id === "composer");
});

test("writes to somebody, and goes from one conversation to the other, with nothing but keys", async () => {
  const others = await Promise.all(["Grace", "Noor"].map((name) => Visitor.join(browser, program.url, name)));
  for (const name of ["Grace", "Noor"]) {
    await pressUntil("Shift+Tab", /^Write to somebody/);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: `Message ${name}` }).waitFor();
    await pressUntil("Tab", new RegExp(`^Message ?${name}`));
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe(`Message to ${name}`);
    await page.keyboard.type(`hello ${name}`);
    await page.keyboard.press("Enter");
    await visitor.chat.sees(`hello ${name}`, "committed");
  }
  await pressUntil("Shift+Tab", /^Grace/);
  await page.keyboard.press("Enter");
  await visitor.chat.sees("hello Grace", "committed");
  expect(await focused()).toMatch(/^Grace/);
  for (const other of others) await other.close();
});

test("a screen reader is told of a message in a conversation that is not open", async () => {
  const grace = await Visitor.join(browser, program.url, "Hopper");
  await grace.chat.writeTo("Ada");
  await grace.chat.say("are you there?");
  await page
    .getByRole("status")
    .filter({ hasText: "New message from Hopper" })
    .waitFor({ state: "attached" });
  await grace.close();
});

test("chooses a colour with the arrow keys", async () => {
  await pressUntil("Shift+Tab", /^Change your name/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const before = await page.getByRole("radio", { checked: true }).getAttribute("value");
  await page.keyboard.press("ArrowRight");
  expect(await page.getByRole("radio", { checked: true }).getAttribute("value")).not.toBe(before);
  await page.keyboard.press("Escape");
});

test("nothing went wrong on the page", () => {
  expect(visitor.unexpected()).toEqual([]);
});
