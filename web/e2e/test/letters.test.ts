import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, phone, Visitor } from "../src/visitor";

let program: Program;
let browser: Browser;
let ada: Visitor;
let grace: Visitor;
/** The second devices of both. */
let adaToo: Visitor;
let gracePhone: Visitor;

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  ada = await Visitor.join(browser, program.url, "Ada");
  grace = await Visitor.join(browser, program.url, "Grace");
  adaToo = await ada.otherDevice(browser);
  gracePhone = await grace.otherDevice(browser, phone);
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

const everyone = () => [ada, adaToo, grace, gracePhone];
const together = (what: (visitor: Visitor) => Promise<unknown>, ...visitors: Visitor[]) =>
  Promise.all(visitors.map(what));
/** What a page shows, with the one it is of in place of You. */
const said = async (visitor: Visitor, me: string) =>
  (await visitor.chat.lines()).map(({ by, text }) => `${by === "You" ? me : by}: ${text}`);

function isInView(element: Element): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  const frame = element.closest(".log")?.getBoundingClientRect();
  return frame !== undefined && top >= frame.top && bottom <= frame.bottom;
}

test("a second device is the same person, and its address does not show the secret", async () => {
  expect(new URL(adaToo.page.url()).hash).toBe("#/lobby");
  expect(await adaToo.page.locator(".me-name").textContent()).toBe("Ada");
  await ada.page.getByRole("button", { name: "2 people here" }).waitFor();
  await ada.chat.say("hello from the first");
  await adaToo.chat.sees("hello from the first");
  expect(await said(adaToo, "Ada")).toEqual(["Ada: hello from the first"]);
});

test("a direct message arrives on both devices of both, and with nobody else", async () => {
  const noor = await Visitor.join(browser, program.url, "Noor");
  await ada.chat.writeTo("Grace");
  await ada.chat.say("just for you");
  await ada.chat.sees("just for you", "committed");
  await grace.chat.counts("Ada", 1);
  await gracePhone.chat.countsElsewhere(1);
  await adaToo.chat.counts("Grace", 0);
  await grace.chat.openTalk("Ada");
  await gracePhone.chat.openTalkByMenu("Ada");
  await adaToo.chat.openTalk("Grace");
  await together((v) => v.chat.sees("just for you", "committed"), adaToo, grace, gracePhone);
  await noor.chat.say("is it quiet here?");
  await noor.chat.sees("is it quiet here?", "committed");
  expect(await noor.page.getByText("just for you").count()).toBe(0);
  expect(await noor.chat.entry("Ada").count()).toBe(0);
  await noor.close();
});

test("both talk from both devices at the same time, and all four pages have one conversation", async () => {
  const texts = await together(
    async (v) => {
      const mine = [1, 2, 3].map((n) => `${n} of ${everyone().indexOf(v)}`);
      for (const text of mine) await v.chat.say(text);
      return mine;
    },
    ...everyone(),
  );
  for (const text of texts.flat() as string[])
    await together((v) => v.chat.sees(text, "committed"), ...everyone());
  const [first, second] = [await said(ada, "Ada"), await said(grace, "Grace")];
  expect(await said(adaToo, "Ada")).toEqual(first);
  expect(await said(gracePhone, "Grace")).toEqual(second);
  // Two inboxes: each of the two has an order of its own, and the same messages.
  expect(first.toSorted()).toEqual(second.toSorted());
  expect(first).toHaveLength(13);
});

test("what is read on one device is read on the other", async () => {
  await together((v) => v.chat.openRoom("lobby"), grace, adaToo);
  await gracePhone.chat.openRoomByMenu("lobby");
  await ada.chat.say("one");
  await ada.chat.say("two");
  await grace.chat.counts("Ada", 2);
  await gracePhone.chat.countsElsewhere(2);
  expect(await grace.page.title()).toBe("(2) #lobby · Earshot");
  await grace.chat.openTalk("Ada");
  await grace.page.locator(".unread-line").waitFor();
  await gracePhone.chat.countsElsewhere(0);
  await grace.chat.openRoom("lobby");
  await grace.chat.counts("Ada", 0);
});

test("also when the other one was offline meanwhile, and when it is loaded anew", async () => {
  await gracePhone.makeCuttable();
  await gracePhone.offline(true);
  await gracePhone.page.getByText("You are offline.").waitFor();
  await ada.chat.say("are you on the train?");
  await grace.chat.counts("Ada", 1);
  await grace.chat.openTalk("Ada");
  await grace.chat.sees("are you on the train?");
  await grace.chat.openRoom("lobby");
  await grace.chat.counts("Ada", 0);
  await gracePhone.chat.countsElsewhere(0);
  await gracePhone.chat.entry("Ada").getByText("are you on the train?").waitFor({ state: "detached" });
  await gracePhone.offline(false);
  await gracePhone.chat.openTalkByMenu("Ada");
  await gracePhone.chat.sees("are you on the train?");
  expect(await gracePhone.page.locator(".unread-line").count()).toBe(0);
  await gracePhone.chat.openRoomByMenu("lobby");
  await gracePhone.page.reload();
  await gracePhone.chat.ready();
  await gracePhone.chat.countsElsewhere(0);
});

test("what was read without a connection is read elsewhere once there is one", async () => {
  await ada.chat.say("read me in the tunnel");
  await grace.chat.counts("Ada", 1);
  await gracePhone.chat.countsElsewhere(1);
  await gracePhone.offline(true);
  await gracePhone.chat.openTalkByMenu("Ada", false);
  await gracePhone.chat.sees("read me in the tunnel");
  await gracePhone.page.getByRole("button", { name: "Rooms" }).click();
  await gracePhone.chat.counts("Ada", 0);
  await grace.chat.counts("Ada", 1);
  await gracePhone.offline(false);
  await grace.chat.counts("Ada", 0);
  await gracePhone.chat.openRoom("lobby");
});

test("a crash between the recipient's inbox and one's own is made up for by the page that comes back", async () => {
  await ada.makeCuttable();
  ada.withheld = /\.copy"/;
  await ada.chat.say("half way");
  await grace.chat.counts("Ada", 1);
  await ada.chat.sees("half way", "sending");
  ada.withheld = undefined;
  await ada.page.reload();
  await adaToo.chat.openTalk("Grace");
  await together((v) => v.chat.sees("half way", "committed"), ada, adaToo);
  await grace.chat.openTalk("Ada");
  for (const visitor of [ada, adaToo, grace]) {
    const texts = await visitor.chat.texts();
    expect(texts.filter((text) => text === "half way")).toHaveLength(1);
  }
  await grace.chat.openRoom("lobby");
});

test("a conversation is read by itself: another's older letters stay unread, on both devices", async () => {
  const noor = await Visitor.join(browser, program.url, "Noor");
  await noor.chat.writeTo("Grace");
  await noor.chat.say("first of all");
  await grace.chat.counts("Noor", 1);
  await ada.chat.say("and then me");
  await grace.chat.counts("Ada", 1);
  await grace.chat.openTalk("Ada");
  await grace.chat.sees("and then me");
  await gracePhone.chat.countsElsewhere(1);
  await grace.page.reload();
  await grace.chat.ready();
  await grace.chat.counts("Noor", 1);
  await grace.chat.counts("Ada", 0);
  await grace.chat.openTalk("Noor");
  await gracePhone.chat.countsElsewhere(0);
  await grace.chat.openRoom("lobby");
  await noor.close();
});

test("rooms are read alike", async () => {
  await ada.chat.openRoom("help");
  await ada.chat.say("who has the key?");
  await together((v) => v.chat.counts("help", 1), grace);
  await gracePhone.chat.countsElsewhere(1);
  await gracePhone.chat.openRoomByMenu("help");
  await grace.chat.counts("help", 0);
});

test("a page without the focus reads nothing", async () => {
  await gracePhone.chat.openRoomByMenu("lobby");
  await gracePhone.focus(false);
  await grace.focus(false);
  await ada.chat.openRoom("lobby");
  await ada.chat.say("is anybody looking?");
  await grace.chat.sees("is anybody looking?");
  await grace.chat.counts("lobby", 1);
  await grace.page.locator(".unread-line").waitFor();
  await grace.focus(true);
  await grace.chat.counts("lobby", 0);
  await gracePhone.focus(true);
});

test("somebody who was away comes back to where they stopped, and has read what they scrolled through", async () => {
  for (const device of [grace, gracePhone]) await device.focus(false);
  for (let i = 1; i <= 30; i++) await ada.chat.say(`line ${i} of a long story`);
  await ada.chat.settled();
  await grace.chat.counts("lobby", 30);
  await grace.focus(true);
  await grace.page.getByRole("button", { name: "30 new messages" }).waitFor();
  expect(await grace.page.locator(".unread-line").evaluate(isInView)).toBe(true);
  await grace.page.getByRole("button", { name: "30 new messages" }).click();
  await grace.chat.counts("lobby", 0);
  await gracePhone.focus(true);
});

test("nothing is lost when the server is killed while they talk", async () => {
  await ada.chat.openTalk("Grace");
  await grace.chat.openRoom("lobby");
  const before = (await said(ada, "Ada")).length;
  await ada.chat.say("sent before");
  await program.kill();
  await ada.chat.say("written while it was dead");
  await ada.chat.sees("written while it was dead", "sending");
  await program.start();
  await ada.chat.settled();
  await grace.chat.counts("Ada", 2);
  await grace.chat.openTalk("Ada");
  await adaToo.chat.openTalk("Grace");
  await gracePhone.chat.openTalkByMenu("Ada");
  for (const text of ["sent before", "written while it was dead"])
    await together((v) => v.chat.sees(text, "committed"), ...everyone());
  for (const visitor of [ada, adaToo]) expect(await said(visitor, "Ada")).toHaveLength(before + 2);
  expect(await said(gracePhone, "Grace")).toEqual(await said(grace, "Grace"));
  expect((await said(grace, "Grace")).slice(-2)).toEqual([
    "Ada: sent before",
    "Ada: written while it was dead",
  ]);
  await grace.chat.openRoom("lobby");
  await grace.chat.counts("Ada", 0);
});

test("a letter that was on its way when the page was loaded again arrives once, on all devices", async () => {
  await program.kill();
  await ada.chat.say("written before the reload");
  await ada.chat.sees("written before the reload", "sending");
  await program.start();
  await ada.page.reload();
  await together((v) => v.chat.sees("written before the reload", "committed"), ada, adaToo, gracePhone);
  const shown = (await said(gracePhone, "Grace")).filter((line) => line.endsWith("before the reload"));
  expect(shown).toEqual(["Ada: written before the reload"]);
});

test("somebody who is away finds their letters when they come", async () => {
  await gracePhone.page.goto("about:blank");
  await grace.page.goto("about:blank");
  await ada.chat.entry("Grace").locator('.face[data-online="false"]').waitFor();
  await ada.chat.say("for when you are back");
  await ada.chat.sees("for when you are back", "committed");
  await grace.page.goto(program.url);
  await grace.chat.counts("Ada", 1);
});

test("nothing went wrong on the pages", () => {
  expect(everyone().flatMap((visitor) => visitor.unexpected())).toEqual([]);
});
