import type { Locator, Page } from "playwright-core";

/** A message as the page shows it. */
export interface Line {
  readonly by: string;
  readonly text: string;
  readonly state: string;
}

/** The chat page, in the words of somebody who uses it. */
export class ChatPage {
  readonly composer: Locator;
  readonly log: Locator;
  readonly note: Locator;

  constructor(private readonly page: Page) {
    this.composer = page.getByRole("textbox", { name: /^Message to/ });
    this.log = page.getByRole("log");
    this.note = page.locator(".note");
  }

  async takeName(name: string): Promise<void> {
    await this.page.getByRole("textbox", { name: "Name" }).fill(name);
    await this.page.getByRole("button", { name: "Start chatting" }).click();
    await this.ready();
  }

  /** Waits until the page is connected and the room's messages are there. */
  async ready(): Promise<void> {
    await this.page.locator('.me-link[data-link="open"]').waitFor({ state: "attached" });
    await this.page.locator('[role="log"][aria-busy="false"]').waitFor();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Waits for a message with a text, in a state if one is named. */
  async sees(text: string, state?: string): Promise<void> {
    const message = this.page.locator(state === undefined ? ".message" : `.message[data-state="${state}"]`);
    await message
      .filter({ has: this.page.getByText(text, { exact: true }) })
      .first()
      .waitFor();
  }

  /** Waits until nothing is on its way any more. */
  async settled(): Promise<void> {
    await this.page.waitForFunction(
      () => document.querySelector('.message:not([data-state="committed"])') === null,
    );
  }

  /** Returns the messages on the page, from the top. */
  lines(): Promise<Line[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>(".message")].map((message) => ({
        by: message.closest(".group")?.querySelector("h3")?.textContent ?? "",
        text: message.querySelector(".text")?.textContent ?? "",
        state: message.dataset.state ?? "",
      })),
    );
  }

  async texts(): Promise<string[]> {
    return (await this.lines()).map(({ text }) => text);
  }

  async openRoom(name: string): Promise<void> {
    await this.page.getByRole("link", { name: new RegExp(`^${name}\\b`) }).click();
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
    await this.ready();
  }

  /** Begins a conversation with somebody who is online. */
  async writeTo(name: string): Promise<void> {
    await this.page.getByRole("button", { name: "Write to somebody" }).click();
    await this.page.getByRole("button", { name: `Message ${name}` }).click();
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
    await this.ready();
  }

  /** Opens a conversation that is listed. */
  async openTalk(name: string, connected = true): Promise<void> {
    await this.entry(name).click();
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
    if (connected) await this.ready();
  }

  /** As openRoom and openTalk, where the list is a drawer. */
  async openRoomByMenu(name: string): Promise<void> {
    await this.page.getByRole("button", { name: "Rooms" }).click();
    await this.openRoom(name);
  }

  async openTalkByMenu(name: string, connected = true): Promise<void> {
    await this.page.getByRole("button", { name: "Rooms" }).click();
    await this.openTalk(name, connected);
  }

  /** Waits until the button for the drawer says that so many messages are unread. */
  async countsElsewhere(unread: number): Promise<void> {
    const badge = this.page.locator(".menu-badge");
    if (unread === 0) await badge.waitFor({ state: "detached" });
    else await badge.filter({ hasText: new RegExp(`^${unread} unread`) }).waitFor();
  }

  /** The entry of a room or a conversation in the side list. */
  entry(name: string): Locator {
    return this.page.getByRole("link", { name: new RegExp(`^${name}\\b`) });
  }

  /** Waits until the side list says that so many messages are unread there. */
  async counts(name: string, unread: number): Promise<void> {
    await this.entry(name).waitFor();
    const badge = this.entry(name).locator(".badge");
    if (unread === 0) await badge.waitFor({ state: "detached" });
    else await badge.filter({ hasText: new RegExp(`^${unread} unread$`) }).waitFor();
  }

  /** Returns the address that makes another browser a device of the same person. */
  async deviceLink(): Promise<string> {
    await this.page.getByRole("button", { name: "Change your name" }).click();
    await this.page.getByRole("button", { name: "Use another device" }).click();
    const link = await this.page.getByRole("textbox", { name: "Link for your own devices" }).inputValue();
    await this.page.keyboard.press("Escape");
    return link;
  }

  /** Scrolls to the top of what is loaded, as often as there is more, until a text is there. */
  async scrollBackTo(text: string): Promise<void> {
    const found = this.page.getByText(text, { exact: true });
    while ((await found.count()) === 0) {
      const first = await this.page.locator(".message").first().getAttribute("data-key");
      await this.log.evaluate((log) => log.scrollTo({ top: 0 }));
      await this.page.waitForFunction(
        (key) => document.querySelector(".message")?.getAttribute("data-key") !== key,
        first,
      );
    }
  }
}
