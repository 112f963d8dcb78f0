import type { Browser, BrowserContext, BrowserContextOptions, Page, WebSocketRoute } from "playwright-core";
import { chromium } from "playwright-core";
import { ChatPage } from "./chat-page";

const desktop: BrowserContextOptions = { viewport: { width: 1200, height: 760 } };
export const phone: BrowserContextOptions = {
  viewport: { width: 375, height: 720 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

/** Starts Debian's Chromium, or the one that EARSHOT_CHROMIUM names. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.EARSHOT_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
  });
}

/** How a browser says that it could not reach a server. */
const unreachable =
  /WebSocket connection to .* failed|net::ERR_(INTERNET_DISCONNECTED|CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)/;

/** One person with a browser profile of their own. */
export class Visitor {
  /** What went wrong on the page: errors, warnings, blocked content. A test that expects none looks here. */
  readonly complaints: string[] = [];
  readonly chat: ChatPage;
  /** Frames of the page that do not reach the server, after makeCuttable. */
  withheld: RegExp | undefined;
  private isOffline = false;
  private readonly links: WebSocketRoute[] = [];

  private constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {
    this.chat = new ChatPage(page);
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(message.text());
    });
  }

  /** Opens the page in a new profile, without moving parts that a picture would catch half way. */
  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ ...desktop, reducedMotion: "reduce", ...options });
    const visitor = new Visitor(context, await context.newPage());
    await visitor.page.goto(url);
    return visitor;
  }

  /** Opens the page and takes a name. */
  static async join(
    browser: Browser,
    url: string,
    name: string,
    options?: BrowserContextOptions,
  ): Promise<Visitor> {
    const visitor = await Visitor.open(browser, url, options);
    await visitor.chat.takeName(name);
    return visitor;
  }

  /** Opens the page on another device of the same person. */
  async otherDevice(browser: Browser, options?: BrowserContextOptions): Promise<Visitor> {
    const device = await Visitor.open(browser, await this.chat.deviceLink(), options);
    await device.chat.ready();
    return device;
  }

  /** Loads the page again so that `offline` works: Chromium's own emulation leaves open WebSockets alone. */
  async makeCuttable(): Promise<void> {
    await this.page.routeWebSocket(/\/live\//, (link) => {
      if (this.isOffline) return link.close();
      const server = link.connectToServer();
      link.onMessage((frame) => {
        if (!this.withheld?.test(String(frame))) server.send(frame);
      });
      this.links.push(link, server);
    });
    await this.page.reload();
    await this.chat.ready();
  }

  /** Takes the network away, or gives it back. */
  async offline(on: boolean): Promise<void> {
    this.isOffline = on;
    await this.context.setOffline(on);
    for (const link of this.links.splice(0)) await link.close();
  }

  /** Has the page lose the focus as if its person looked at something else, or gives it back. */
  async focus(on: boolean): Promise<void> {
    // Pages under test always have the focus.
    await this.page.evaluate((has) => {
      document.hasFocus = () => has;
      dispatchEvent(new Event(has ? "focus" : "blur"));
    }, on);
  }

  /** Opens another tab of the same profile. */
  async otherTab(url: string): Promise<Visitor> {
    const visitor = new Visitor(this.context, await this.context.newPage());
    await visitor.page.goto(url);
    return visitor;
  }

  /** Returns what went wrong, but for failed attempts to reach a server that the test had stopped, or taken away. */
  unexpected(): string[] {
    return this.complaints.filter((text) => !unreachable.test(text));
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
