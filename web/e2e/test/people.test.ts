import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, phone, Visitor } from "../src/visitor";
import { attend } from "../src/wire";

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

const button = ({ page }: Visitor) => page.getByRole("button", { name: /here$/ });
const here = (visitor: Visitor, count: number) =>
  visitor.page.getByRole("button", { name: `${count} ${count === 1 ? "person" : "people"} here` }).waitFor();
const writing = (visitor: Visitor, text: string) =>
  visitor.page.locator(".writers").getByText(text).waitFor();
const silence = (visitor: Visitor) => visitor.page.locator(".writers-text").waitFor({ state: "detached" });

/** Returns the names in the list of people, and closes it. */
async function list({ page }: Visitor): Promise<string[]> {
  const names = await page.getByRole("dialog").getByRole("listitem").locator("bdi").allTextContents();
  await page.keyboard.press("Escape");
  return names;
}

/** Notes each count that the header shows from now on. */
async function watch({ page }: Visitor): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    const look = () => {
      const text = document.querySelector(".people-number")?.textContent ?? "nothing";
      if (seen.at(-1) !== text) seen.push(text);
    };
    look();
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    Object.assign(window, { seenCounts: seen });
  });
  return () => page.evaluate(() => (window as unknown as { seenCounts: string[] }).seenCounts);
}

test("each sees that two are here, oneself first", async () => {
  await Promise.all([ada, grace].map((visitor) => here(visitor, 2)));
  await button(ada).click();
  expect(await list(ada)).toEqual(["Ada", "Grace"]);
  await button(grace).click();
  expect(await list(grace)).toEqual(["Grace", "Ada"]);
});

test("the list opens and closes with the keyboard, and gives the focus back", async () => {
  await button(ada).focus();
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("dialog", { name: "In #lobby" }).waitFor();
  expect(await list(ada)).toEqual(["Ada", "Grace"]);
  expect(await button(ada).evaluate((element) => element === document.activeElement)).toBe(true);
});

test("one writes and the other sees it, until it is said", async () => {
  await grace.chat.composer.pressSequentially("Hello");
  await writing(ada, "Grace is typing…");
  expect(await ada.page.locator(".writers").getAttribute("aria-live")).toBe("off");
  expect(await grace.page.locator(".writers-text").count()).toBe(0);
  await grace.chat.composer.press("Enter");
  await ada.chat.sees("Hello", "committed");
  await silence(ada);
});

test("or until it is taken back, or nothing more comes", async () => {
  await grace.chat.composer.pressSequentially("He");
  await writing(ada, "Grace is typing…");
  await grace.chat.composer.fill("");
  await silence(ada);
  await grace.chat.composer.pressSequentially("He");
  await writing(ada, "Grace is typing…");
  await silence(ada);
  await grace.chat.composer.fill("");
});

test("both at once", async () => {
  const noor = await Visitor.join(browser, program.url, "Noor", phone);
  await here(ada, 3);
  await grace.chat.composer.pressSequentially("a");
  await noor.chat.composer.pressSequentially("b");
  await writing(ada, "Grace and Noor are typing…");
  await button(ada).click();
  const dialog = ada.page.getByRole("dialog");
  expect(await dialog.getByRole("listitem").filter({ hasText: "typing…" }).count()).toBe(2);
  await ada.page.keyboard.press("Escape");
  await button(noor).tap();
  expect(await list(noor)).toEqual(["Noor", "Ada", "Grace"]);
  await grace.chat.composer.fill("");
  await noor.close();
  await here(ada, 2);
});

test("who takes another name, or goes to another room, is seen to", async () => {
  await grace.page.getByRole("button", { name: "Change your name" }).click();
  await grace.page.getByRole("textbox", { name: "Name" }).fill("Hopper");
  await grace.page.getByRole("button", { name: "Save" }).click();
  await button(ada).click();
  await ada.page.getByRole("dialog").locator("bdi").filter({ hasText: "Hopper" }).waitFor();
  expect(await list(ada)).toEqual(["Ada", "Hopper"]);
  await grace.chat.openRoom("random");
  await here(grace, 1);
  await here(ada, 1);
  await grace.chat.openRoom("lobby");
  await here(ada, 2);
});

test("two tabs of one person are one person", async () => {
  const tab = await grace.otherTab(program.url);
  await here(tab, 2);
  await tab.chat.say("from the other tab");
  await ada.chat.sees("from the other tab");
  await here(ada, 2);
  await tab.page.close();
});

test("neither a reload nor a restart of the server is a flicker", async () => {
  const seen = await watch(ada);
  await grace.page.reload();
  await grace.chat.ready();
  await here(grace, 2);
  await program.kill();
  await program.start();
  await Promise.all([ada.chat.ready(), grace.chat.ready()]);
  await ada.chat.say("still here");
  await grace.chat.sees("still here", "committed");
  await here(grace, 2);
  // Longer than anyone is kept who does not come back.
  await ada.page.waitForTimeout(6_000);
  await here(ada, 2);
  expect(await seen()).toEqual(["2 people here"]);
});

test("what others put into the maps does no harm", async () => {
  await attend(grace.page, "lobby", { id: "x", name: "<b>Mallory\u202e", hue: 1e9 }, true);
  await attend(grace.page, "lobby", [null]);
  await here(ada, 4);
  await writing(ada, "<b>Mallory is typing…");
  await button(ada).click();
  expect(await list(ada)).toEqual(["Ada", "Hopper", "<b>Mallory", "Guest"]);
});

test("nothing went wrong on the pages", () => {
  expect([...ada.unexpected(), ...grace.unexpected()]).toEqual([]);
});
