import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, phone, Visitor } from "../src/visitor";
import { publish } from "../src/wire";

let program: Program;
let browser: Browser;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  // With its movement, unlike the other tests: the drawer must take the focus while it slides in.
  visitor = await Visitor.join(browser, program.url, "Ada", { ...phone, reducedMotion: "no-preference" });
  page = visitor.page;
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

const side = () => page.getByRole("complementary");
const menu = () => page.getByRole("button", { name: "Rooms" });

/** Returns what sticks out of the screen at the side. */
function sticksOut(): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll(".main *")]
      .filter(
        (element) =>
          element.getBoundingClientRect().right > window.innerWidth + 0.5 &&
          element.closest(".hidden, .hint, .aside, .name") === null,
      )
      .map((element) => element.className.toString()),
  );
}

test("talks", async () => {
  await visitor.chat.composer.fill("from the phone");
  await page.getByRole("button", { name: "Send" }).tap();
  await visitor.chat.sees("from the phone", "committed");
});

test("nothing is wider than the screen, whatever is said", async () => {
  const long = "x".repeat(400);
  await publish(page, "chat:lobby", [
    { text: long, from: { id: "1", name: "W".repeat(32), hue: 2 } },
    { text: `https://example.com/${long}` },
    { text: "the last one" },
  ]);
  await visitor.chat.sees("the last one");
  expect(await sticksOut()).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});

test("the composer is at the bottom of the screen and its text is large enough not to be zoomed in on", async () => {
  const field = await visitor.chat.composer.evaluate((e) => ({
    bottom: e.getBoundingClientRect().bottom,
    size: getComputedStyle(e).fontSize,
  }));
  expect(field.bottom).toBeGreaterThan(680);
  expect(field.bottom).toBeLessThanOrEqual(720);
  expect(Number.parseFloat(field.size)).toBeGreaterThanOrEqual(16);
});

test("the rooms are in a drawer, out of reach until it is opened", async () => {
  expect(await side().isVisible()).toBe(false);
  await menu().tap();
  await side().waitFor();
  await page.waitForFunction(() => document.activeElement?.closest("aside") !== null);
  expect(await page.locator("main").evaluate((main) => main.matches("[inert]"))).toBe(true);
});

test("Escape, the button and the space beside it close the drawer and give the focus back", async () => {
  await page.keyboard.press("Escape");
  await side().waitFor({ state: "hidden" });
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("menu");
  await menu().tap();
  await side().getByRole("button", { name: "Close the list of rooms" }).tap();
  await side().waitFor({ state: "hidden" });
  await menu().tap();
  await page.touchscreen.tap(365, 400);
  await side().waitFor({ state: "hidden" });
});

test("goes to another room, and the button counts what is unread elsewhere", async () => {
  await publish(page, "chat:random", [{ text: "psst" }]);
  await page.locator(".menu-badge").waitFor();
  await menu().tap();
  await page.getByRole("link", { name: /^random/ }).tap();
  await side().waitFor({ state: "hidden" });
  await visitor.chat.sees("psst");
  expect(await page.locator(".menu-badge").count()).toBe(0);
});

test("writes to somebody, and the drawer gives way", async () => {
  const other = await Visitor.join(browser, program.url, "Grace");
  await menu().tap();
  await visitor.chat.writeTo("Grace");
  await side().waitFor({ state: "hidden" });
  await visitor.chat.say("from the phone to you");
  await visitor.chat.sees("from the phone to you", "committed");
  expect(await sticksOut()).toEqual([]);
  await other.chat.openTalk("Ada");
  await other.chat.say("a".repeat(300));
  await visitor.chat.sees("a".repeat(300));
  expect(await sticksOut()).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
  await other.close();
});

test("makes a room, and the drawer gives way", async () => {
  await menu().tap();
  await page.getByRole("button", { name: "Create or join a room" }).tap();
  await page.getByRole("textbox", { name: "Room name" }).fill("garden");
  await page.getByRole("button", { name: "Open room" }).tap();
  await side().waitFor({ state: "hidden" });
});

test("everything to tap is large enough", async () => {
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("main button, main textarea")]
      .map((element) => ({ name: element.className, height: element.getBoundingClientRect().height }))
      .filter(({ height }) => height > 0 && height < 36),
  );
  expect(small).toEqual([]);
});

test("works turned on its side", async () => {
  await page.setViewportSize({ width: 720, height: 340 });
  expect(await sticksOut()).toEqual([]);
  await visitor.chat.say("on its side");
  await visitor.chat.sees("on its side", "committed");
});

test("nothing went wrong on the page", () => {
  expect(visitor.unexpected()).toEqual([]);
});
