import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, phone, Visitor } from "../src/visitor";
import { attend, publish } from "../src/wire";

/** Where the pictures go. Without it none are taken. docs/images/chat.png is the one that is called chat.png. */
const folder = process.env.EARSHOT_PICTURES;
/** How long the conversation pauses now and then, so that its times differ: 0 milliseconds. */
const pauseMS = Number(process.env.EARSHOT_PICTURES_PAUSE_MS ?? 0);

const grace = { id: "grace", name: "Grace", hue: 8 };
const mateo = { id: "mateo", name: "Mateo Ruiz", hue: 1 };
const noor = { id: "noor", name: "Noor", hue: 4 };

describe.runIf(folder !== undefined)("pictures", () => {
  let program: Program;
  let browser: Browser;
  let desk: Visitor;
  let small: Visitor;

  beforeAll(async () => {
    mkdirSync(folder ?? "", { recursive: true });
    program = await Program.start();
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await program?.remove();
  });

  const picture = (visitor: Visitor, name: string) =>
    visitor.page.screenshot({ path: join(folder ?? "", name) });
  const open = (options: BrowserContextOptions) => Visitor.open(browser, program.url, options);

  /** Has the others write to Ada, whose page shows the lobby all the while. */
  async function letters(): Promise<void> {
    const others = [
      { name: "Noor", colour: 5, texts: ["The tickets are booked!", "Platform 4, at nine"] },
      { name: "Mateo Ruiz", colour: 2, texts: ["Lunch at one?"] },
    ];
    for (const { name, colour, texts } of others) {
      const other = await open({});
      await other.page.getByRole("radio", { name: `Colour ${colour}`, exact: true }).check();
      await other.chat.takeName(name);
      await other.chat.writeTo("Ada");
      for (const text of texts) await other.chat.say(text);
      await other.chat.settled();
      if (name === "Noor") await other.close();
    }
    await desk.chat.counts("Mateo Ruiz", 1);
  }

  test("the first visit", async () => {
    desk = await open({ viewport: { width: 1040, height: 700 }, deviceScaleFactor: 1.25 });
    small = await open({
      ...phone,
      viewport: { width: 375, height: 690 },
      deviceScaleFactor: 1.2,
      colorScheme: "dark",
    });
    await picture(desk, "first-light.png");
    await picture(small, "first-dark-phone.png");
    await desk.page.getByRole("radio", { name: "Colour 8" }).check();
    await small.page.getByRole("radio", { name: "Colour 6" }).check();
    await desk.chat.takeName("Ada");
    await small.chat.takeName("Linus");
    await picture(desk, "empty-light.png");
  });

  test(
    "a conversation",
    async () => {
      const say = async (from: object, ...texts: string[]) => {
        await pause(pauseMS);
        await publish(
          desk.page,
          "chat:lobby",
          texts.map((text) => ({ from, text })),
        );
      };
      await publish(desk.page, "chat:random", [{ from: noor, text: "Jasmine. It is always jasmine." }]);
      await say(noor, "Good morning, everyone ☀️");
      await say(
        mateo,
        "Morning! Is the demo still up?",
        "I pulled the plug on the server a minute ago, in the middle of a sentence 🙈",
      );
      await desk.chat.say("So that was you!");
      await desk.chat.say("My page said “trying again”, and then my message simply went through.");
      await say(grace, "Same here. Nothing missing, and nothing there twice.");
      await small.chat.say("On the phone too, on the train. Four tunnels so far.");
      await say(mateo, "🎉");
      await say(noor, "How it does that: https://example.com/resume");
      await desk.chat.say("Reading it now, thank you");
      await small.chat.sees("Reading it now, thank you", "committed");
      await publish(desk.page, "chat:help", [
        { from: grace, text: "Does anyone know how to page back?" },
        { from: grace, text: "Found it: just scroll up." },
      ]);
      await desk.page.locator(".badge").first().waitFor();
      await letters();
      for (const person of [mateo, noor]) await attend(desk.page, "lobby", person);
      await attend(desk.page, "lobby", grace, true);
      await Promise.all([desk, small].map(({ page }) => page.getByText("Grace is typing…").waitFor()));
      await desk.page.getByRole("button", { name: "5 people here" }).waitFor();
      await desk.page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await picture(desk, "talk-light.png");
      await picture(small, "talk-dark-phone.png");
    },
    20 * 60_000,
  );

  test("beside each other, for the README", async () => {
    // Those who wrote letters have left the room, which is said a little later.
    for (const { page } of [desk, small]) await page.getByRole("button", { name: "5 people here" }).waitFor();
    const [wide, narrow] = await Promise.all([desk.page.screenshot(), small.page.screenshot()]);
    const sheet = await browser.newPage({ viewport: { width: 1862, height: 955 } });
    const image = (name: string, bytes: Buffer) =>
      `<img class="${name}" src="data:image/png;base64,${bytes.toString("base64")}">`;
    // At their own size: every pixel that is not in between two others makes the file smaller.
    await sheet.setContent(`<style>
      body { margin: 0; background: #cfe1e6 }
      img { position: absolute; border-radius: 16px }
      .wide { top: 40px; left: 40px }
      .narrow { top: 68px; right: 40px; border: 8px solid #0b1114; border-radius: 36px }
    </style>${image("wide", wide)}${image("narrow", narrow)}`);
    const path = join(folder ?? "", "chat.png");
    await sheet.screenshot({ path });
    expect(statSync(path).size).toBeLessThan(300 * 1024);
  });

  test("a direct message", async () => {
    await desk.chat.openTalk("Mateo Ruiz");
    await desk.chat.say("One is good. The usual place?");
    await desk.chat.sees("One is good. The usual place?", "committed");
    await desk.page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await picture(desk, "direct-light.png");
    const device = await desk.otherDevice(browser, { ...phone, colorScheme: "dark" });
    await device.page.getByRole("button", { name: "Rooms" }).click();
    await picture(device, "drawer-dark-phone.png");
    await device.chat.openTalk("Mateo Ruiz");
    await picture(device, "direct-dark-phone.png");
    await device.close();
    await desk.chat.openRoom("lobby");
  });

  test("who is here", async () => {
    for (const visitor of [desk, small]) {
      await visitor.page.getByRole("button", { name: "5 people here" }).click();
      await picture(visitor, visitor === desk ? "people-light.png" : "people-dark-phone.png");
      await visitor.page.keyboard.press("Escape");
    }
  });

  test("without a server", async () => {
    await program.kill();
    await desk.chat.say("Is it back yet?");
    await small.chat.say("Not yet, but it will hear us.");
    await Promise.all([desk, small].map(({ chat }) => chat.note.waitFor()));
    await desk.chat.sees("Is it back yet?", "sending");
    await pause(500);
    await picture(desk, "waiting-light.png");
    await picture(small, "waiting-dark-phone.png");
  });
});
