import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as dial } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { withFallback } from "../src/fallback.js";
import { httpSocket, type Mode } from "../src/http.js";
import { buildProgram, RealServer } from "./real.js";
import { client, numbers, take } from "./script.js";

let folder = "";

beforeAll(() => {
  folder = buildProgram();
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(): Promise<RealServer> {
  const server = await new RealServer(folder).start();
  onTestFinished(() => server.remove());
  return server;
}

/** What a proxy does with a request for a WebSocket. */
type Upgrades = "refused" | "swallowed" | "passed";

/** A proxy in front of a server, which may cut answers short. */
class Middleman {
  readonly #server: Server;
  readonly #to: string;
  upgrades: Upgrades = "refused";
  /** How many bytes of an answer pass at least; up to twice as many do. */
  passes = Number.POSITIVE_INFINITY;
  cuts = 0;
  posts = 0;
  upgraded = 0;

  constructor(to: RealServer) {
    this.#to = to.url;
    this.#server = createServer((asked, answer) => {
      const headers = asked.headers;
      const onward = request(new URL(asked.url ?? "", this.#to), { method: asked.method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        let left = this.passes * (1 + Math.random());
        got.on("data", (bytes: Buffer) => {
          if (left < 0) return;
          answer.write(bytes.subarray(0, left));
          left -= bytes.length;
          if (left >= 0) return;
          this.cuts++;
          // What is read together with the end is lost to the reader, so that nothing would ever come.
          setTimeout(() => asked.socket.destroy(), 10);
        });
        got.on("end", () => answer.end());
        answer.on("close", () => got.destroy());
      });
      onward.on("error", () => answer.destroy());
      if (asked.method === "POST") this.posts++;
      asked.pipe(onward);
    });
    this.#server.on("upgrade", (asked: IncomingMessage, socket) => {
      this.upgraded++;
      socket.on("error", () => {});
      if (this.upgrades === "refused") socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      if (this.upgrades !== "passed") return;
      const { hostname, port } = new URL(this.#to);
      const onward = dial(Number(port), hostname, () => {
        const lines = asked.rawHeaders.reduce((all, text, i) => all + text + (i % 2 ? "\r\n" : ": "), "");
        onward.write(`GET ${asked.url} HTTP/1.1\r\n${lines}\r\n`);
        onward.pipe(socket).pipe(onward);
      });
      onward.on("error", () => socket.destroy());
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
}

describe("HTTP", { timeout: 60_000 }, () => {
  test.each<Mode>(["stream", "poll"])(
    "answers that are cut short lose and repeat nothing: %s",
    async (mode) => {
      const proxy = await new Middleman(await start()).listen();
      const webSocket = httpSocket(mode);
      const reader = client(proxy, { webSocket }).channel<number>("log:a");
      const heard = take(reader.subscribe({ last: 1_000 })[Symbol.asyncIterator](), 400);
      const writer = client(proxy, { webSocket }).channel<number>("log:a");
      proxy.passes = mode === "stream" ? 2_500 : 300;
      await Promise.all(numbers(1, 400).map((n) => writer.publish(n)));
      expect((await heard).map((p) => p.data)).toEqual(numbers(1, 400));
      proxy.passes = Number.POSITIVE_INFINITY;
      expect((await reader.history({ limit: 500 })).publications).toHaveLength(400);
      expect(proxy.cuts).toBeGreaterThan(20);
    },
  );

  test("what is asked for at intervals comes, too", async () => {
    const server = await start();
    const es = client(server, { webSocket: httpSocket("interval") });
    const heard = take(es.channel<number>("log:a").subscribe({ last: 1_000 })[Symbol.asyncIterator](), 50);
    await Promise.all(numbers(1, 50).map((n) => es.channel<number>("log:a").publish(n)));
    expect((await heard).map((p) => p.data)).toEqual(numbers(1, 50));
  });

  test("an origin that is not allowed is refused, and the client tries on", async () => {
    const server = await start();
    const es = client(server, { webSocket: httpSocket() });
    await expect.poll(() => es.state.name).toBe("open");
    const answer = await fetch(`${server.url}/live/http`, {
      method: "POST",
      headers: { origin: "https://evil.test" },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("a client with a fallback", { timeout: 60_000 }, () => {
  test.each<Upgrades>(["refused", "swallowed"])("goes over HTTP where WebSocket is %s", async (upgrades) => {
    const proxy = await new Middleman(await start()).listen();
    proxy.upgrades = upgrades;
    const webSocket = withFallback({ webSocket: WebSocket, patience: 500 });
    const es = client(proxy, { webSocket });
    await es.channel("log:a").publish("hello");
    expect(proxy.upgraded).toBe(1);
    // It is remembered: the next client does not try.
    await client(proxy, { webSocket }).channel("log:a").publish("again");
    expect(proxy.upgraded).toBe(1);
  });

  test("uses a WebSocket where there is one", async () => {
    const proxy = await new Middleman(await start()).listen();
    proxy.upgrades = "passed";
    const es = client(proxy, { webSocket: withFallback({ webSocket: WebSocket }) });
    await es.channel("log:a").publish("hello");
    expect([proxy.upgraded, proxy.posts]).toEqual([1, 0]);
  });

  test("moves up when it can, and misses nothing", async () => {
    const proxy = await new Middleman(await start()).listen();
    const webSocket = withFallback({ webSocket: WebSocket, probe: 50 });
    const es = client(proxy, { webSocket });
    const channel = es.channel<number>("log:a");
    const heard = take(channel.subscribe()[Symbol.asyncIterator](), 20);
    await channel.publish(1);
    expect(proxy.posts).toBeGreaterThan(0);
    proxy.upgrades = "passed";
    await expect.poll(() => es.state.name === "open" && proxy.upgraded > 2).toBe(true);
    const posts = proxy.posts;
    for (const n of numbers(2, 20)) await channel.publish(n);
    expect((await heard).map((p) => p.data)).toEqual(numbers(1, 20));
    expect(proxy.posts - posts).toBeLessThan(19);
  });

  test("says what is wrong where nothing works", async () => {
    const server = await start();
    await server.stop();
    const es = client(server, { webSocket: withFallback({ webSocket: WebSocket }) });
    await expect.poll(() => es.state.name).toBe("waiting");
  });
});
