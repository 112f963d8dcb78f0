import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, phone, Visitor } from "../src/visitor";
import { publish } from "../src/wire";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let program: Program;
let browser: Browser;

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  const writer = await Visitor.join(browser, program.url, "Writer");
  const hues = Array.from({ length: 10 }, (_, hue) => ({
    text: `hue ${hue} https://example.com`,
    from: { id: `${hue}`, name: `N${hue}`, hue },
  }));
  await publish(writer.page, "chat:lobby", [...hues, "🎉", { text: "long ".repeat(400), from: "Long" }]);
  await writer.close();
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

/** Returns the rules of WCAG 2.2 A and AA, and good practice, that the page breaks, as axe-core sees it. */
async function broken(visitor: Visitor): Promise<string[]> {
  await visitor.page.evaluate(axe);
  const results = await visitor.page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

describe.each([
  ["light", "desktop", {}],
  ["dark", "desktop", {}],
  ["light", "phone", phone],
  ["dark", "phone", phone],
] as const)("%s, %s", (colorScheme, device, options) => {
  let visitor: Visitor;
  // Those of the devices before are still said to be online for a moment.
  const me = `Ada ${colorScheme} ${device}`;
  const peer = `Other ${colorScheme} ${device}`;

  beforeAll(async () => {
    visitor = await Visitor.open(browser, program.url, { ...options, colorScheme });
  });

  afterAll(() => visitor?.close());

  test("the first dialog", async () => {
    expect(await broken(visitor)).toEqual([]);
  });

  test("the log, with an own message and one that waits", async () => {
    await visitor.chat.takeName(me);
    await visitor.chat.say("mine, with https://example.com");
    await visitor.chat.sees("🎉");
    expect(await broken(visitor)).toEqual([]);
  });

  test.runIf(device === "phone")("the drawer", async () => {
    await visitor.page.getByRole("button", { name: "Rooms" }).click();
    await visitor.page.getByRole("complementary").waitFor();
    expect(await broken(visitor)).toEqual([]);
    await visitor.page.keyboard.press("Escape");
  });

  test("an empty room", async () => {
    await visitor.page.goto(`${program.url}/#/empty`);
    await visitor.page.getByText("Nobody has said anything yet").waitFor();
    expect(await broken(visitor)).toEqual([]);
  });

  test("a conversation, unread ones and who is online", async () => {
    const other = await Visitor.join(browser, program.url, peer);
    await visitor.chat.ready();
    if (device === "phone") await visitor.page.getByRole("button", { name: "Rooms" }).click();
    await visitor.page.getByRole("button", { name: "Write to somebody" }).click();
    await visitor.page.getByRole("button", { name: `Message ${peer}` }).waitFor();
    expect(await broken(visitor)).toEqual([]);
    await visitor.page.keyboard.press("Escape");
    await other.chat.writeTo(me);
    await other.chat.say("psst");
    await visitor.page.locator(".badge", { hasText: "1" }).waitFor({ state: "attached" });
    expect(await broken(visitor)).toEqual([]);
    await visitor.chat.openTalk(peer);
    await visitor.chat.say("yes?");
    await visitor.chat.sees("yes?", "committed");
    expect(await broken(visitor)).toEqual([]);
    await other.close();
    await visitor.page.goto(`${program.url}/#/empty`);
  });

  test("the dialog for another device", async () => {
    if (device === "phone") await visitor.page.getByRole("button", { name: "Rooms" }).click();
    await visitor.page.getByRole("button", { name: "Change your name" }).click();
    expect(await broken(visitor)).toEqual([]);
    await visitor.page.getByRole("button", { name: "Use another device" }).click();
    expect(await broken(visitor)).toEqual([]);
    await visitor.page.keyboard.press("Escape");
    if (device === "phone") await visitor.page.keyboard.press("Escape");
  });

  test("the dialog for a link", async () => {
    await visitor.page.getByRole("button", { name: "Invite" }).click();
    expect(await broken(visitor)).toEqual([]);
  });
});

test("without a server: what waits and what is said about it", async () => {
  const visitor = await Visitor.join(browser, program.url, "Ada");
  await program.kill();
  await visitor.chat.note.waitFor();
  await visitor.chat.say("waits");
  await visitor.chat.sees("waits", "sending");
  await visitor.page.waitForTimeout(600);
  expect(await broken(visitor)).toEqual([]);
});
