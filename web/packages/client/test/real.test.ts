import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { httpSocket } from "../src/http.js";
import type { Options, Publication, ResetEvent, Subscription } from "../src/index.js";
import { type BinarySocketConstructor, msgpackSocket } from "../src/msgpack.js";
import { buildProgram, RealServer } from "./real.js";
import { client as connected, numbers, reached, take } from "./script.js";

const ways = [
  { way: "WebSocket", webSocket: WebSocket },
  {
    way: "WebSocket, as MessagePack",
    webSocket: msgpackSocket(WebSocket as unknown as BinarySocketConstructor),
  },
  { way: "HTTP, in a stream", webSocket: httpSocket("stream") },
  { way: "HTTP, by polling", webSocket: httpSocket("poll") },
];

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

/** Until the server has confirmed the subscription. */
const begun = (sub: Subscription<number>) => expect.poll(() => sub.position).toBeDefined();
const data = (publications: readonly Publication[]) => publications.map((p) => p.data);
const untilDone = async (from: AsyncIterable<Publication<number>>, last: number) => {
  const heard: number[] = [];
  for await (const p of from) {
    heard.push(p.data);
    if (p.data === last) break;
  }
  return heard;
};

describe.each(ways)("against the real server, over $way", { timeout: 60_000 }, ({ webSocket }) => {
  const client = (server: RealServer, options: Options = {}) => connected(server, { webSocket, ...options });

  test("what one says another hears, and history has it", async () => {
    const server = await start();
    const [ann, bob] = [client(server), client(server)];
    const heard = bob.channel("log:a").subscribe({ last: 10 })[Symbol.asyncIterator]();
    const receipts = [];
    for (const text of ["one", "two", "three"]) receipts.push(await ann.channel("log:a").publish({ text }));
    expect(receipts.map((r) => r.offset)).toEqual([1, 2, 3]);
    expect(receipts.map((r) => r.durability)).toEqual(["fsync", "fsync", "fsync"]);
    const publications = await take(heard, 3);
    expect(data(publications)).toEqual([{ text: "one" }, { text: "two" }, { text: "three" }]);
    expect(publications.map((p) => p.position)).toEqual(receipts.map((r) => r.position));
    expect(Math.abs((publications[0]?.time ?? 0) - Date.now())).toBeLessThan(60_000);
    const page = await ann.channel("log:a").history({ before: publications[2]?.position ?? "", limit: 1 });
    expect(data(page.publications)).toEqual([{ text: "two" }]);
    expect(page).toMatchObject({ complete: true, more: true, position: publications[2]?.position });
  });

  test("bytes, tags and events arrive as they were sent", async () => {
    const server = await start();
    const channel = client(server).channel("live:a");
    const heard = channel.subscribe()[Symbol.asyncIterator]();
    const bytes = new Uint8Array([0, 255, 128, 1]);
    await channel.publish(bytes, { event: "raw", tags: { kind: "test", __proto__x: "y" } });
    const [publication] = await take(heard, 1);
    expect(publication).toMatchObject({ data: bytes, event: "raw", tags: { kind: "test", __proto__x: "y" } });
  });

  test("the same id is committed once, and another message under it is refused", async () => {
    const server = await start();
    const channel = client(server).channel("log:a");
    const first = await channel.publish(1, { idem: "k" });
    expect(await channel.publish(1, { idem: "k" })).toEqual({ ...first, duplicate: true });
    await expect(channel.publish(2, { idem: "k" })).rejects.toMatchObject({ name: "idem_reused" });
    expect((await channel.history()).publications).toHaveLength(1);
  });

  test("without echoes a client does not hear itself, on any of its connections", async () => {
    const server = await start();
    const es = client(server);
    const sub = es.channel("log:a").subscribe({ echo: false });
    const heard = sub[Symbol.asyncIterator]();
    const { position } = await es.channel("log:a").publish("own");
    await expect.poll(() => sub.position).toBe(position);
    await server.stop();
    await server.start();
    await es.channel("log:a").publish("own again");
    await client(server).channel("log:a").publish("other");
    expect(data(await take(heard, 1))).toEqual(["other"]);
  });

  test("a mistake gets the server's error", async () => {
    const server = await start();
    const es = client(server);
    await expect(es.channel("nowhere:a").publish(1)).rejects.toMatchObject({
      code: 101,
      name: "bad_channel",
    });
    await expect(es.channel("log:a").history({ limit: 501 })).rejects.toMatchObject({ name: "bad_frame" });
    await expect(es.channel("live:a").history()).rejects.toMatchObject({ name: "no_history" });
    const refused = es.channel("nope").subscribe()[Symbol.asyncIterator]();
    await expect(refused.next()).rejects.toMatchObject({ name: "bad_channel" });
    expect(es.state.name).toBe("open");
  });

  test("a position that is none is a reset", async () => {
    const server = await start();
    const channel = client(server).channel<number>("log:a");
    const { position } = await channel.publish(1);
    const told: ResetEvent[] = [];
    const other = client(server).channel<number>("log:b");
    const sub = other.subscribe({ since: position, onReset: (e) => void told.push(e) });
    const heard = take(sub[Symbol.asyncIterator](), 1);
    await expect.poll(() => told.length).toBe(1);
    await other.publish(2);
    expect(data(await heard)).toEqual([2]);
    expect(told).toMatchObject([{ channel: "log:b" }]);
  });

  test("a large message just fits", async () => {
    const server = await start();
    const channel = client(server).channel<string>("log:a");
    const heard = channel.subscribe()[Symbol.asyncIterator]();
    const text = "é".repeat(32_600);
    await channel.publish(text);
    expect((await take(heard, 1))[0]?.data).toBe(text);
  });

  test("a second subscription gets its own past and joins the first", async () => {
    const server = await start();
    const channel = client(server).channel<number>("log:a");
    const sub = channel.subscribe();
    await begun(sub);
    const first = untilDone(sub, 1_500);
    const writer = client(server, { publishQueue: { count: 2_000 } }).channel<number>("log:a");
    await writer.publish(1);
    const publishing = Promise.all(numbers(2, 1_500).map((n) => writer.publish(n)));
    const second = untilDone(channel.subscribe({ last: 1_500 }), 1_500);
    await publishing;
    expect(await first).toEqual(numbers(1, 1_500));
    expect(await second).toEqual(numbers(1, 1_500));
  });

  test("a consumer that stops and goes on misses nothing", async () => {
    const server = await start();
    const slow = client(server)
      .channel<number>("log:a")
      .subscribe({ queue: { count: 20 } });
    const heard = slow[Symbol.asyncIterator]();
    await begun(slow);
    const writer = client(server).channel<number>("log:a");
    await writer.publish(1);
    expect(data(await take(heard, 1))).toEqual([1]);
    for (let from = 2; from < 3_000; from += 500) {
      await Promise.all(numbers(from, from + 499).map((n) => writer.publish(n)));
    }
    expect(data(await take(heard, 3_000))).toEqual(numbers(2, 3_001));
  });

  test("a slow consumer of a channel that keeps nothing is told how many it missed", async () => {
    const server = await start();
    const sub = client(server)
      .channel<number>("live:a")
      .subscribe({ queue: { count: 10 } });
    await begun(sub);
    const writer = client(server).channel<number>("live:a");
    await Promise.all(numbers(1, 200).map((n) => writer.publish(n)));
    const heard = (async () => {
      let count = 0;
      for await (const p of sub) {
        count++;
        if (p.data === 201) return count;
      }
    })();
    await expect.poll(() => sub.missed).toBeGreaterThan(0);
    await writer.publish(201);
    expect((await heard) ?? 0).toBe(201 - sub.missed);
  });
});

describe.each(ways)("kill -9, over $way", { timeout: 60_000 }, ({ webSocket }) => {
  const client = (server: RealServer, options: Options = {}) => connected(server, { webSocket, ...options });

  test("loses and repeats nothing, for subscribers and for publishers", async () => {
    const server = await start();
    const [reader, writer] = [client(server), client(server)];
    const subs = [0, 3].map((last) => reader.channel<number>("log:a").subscribe({ last }));
    for (const sub of subs) await begun(sub);
    const [first, second] = subs.map((sub) => untilDone(sub, 600));
    const channel = writer.channel<number>("log:a");
    const receipts: Promise<{ offset: number }>[] = [];
    for (let n = 1; n <= 600; n++) {
      receipts.push(channel.publish(n));
      if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      if (n % 150 === 0) {
        // In the midst of what is under way.
        await server.stop("SIGKILL");
        await server.start();
      }
    }
    expect((await Promise.all(receipts)).map((r) => r.offset)).toEqual(numbers(1, 600));
    expect(await first).toEqual(numbers(1, 600));
    expect(await second).toEqual(numbers(1, 600));
  });

  test("SIGTERM is told, and the client comes back by itself", async () => {
    const server = await start();
    const es = client(server);
    const sub = es.channel<number>("log:a").subscribe();
    const heard = sub[Symbol.asyncIterator]();
    await begun(sub);
    await es.channel<number>("log:a").publish(1);
    const waiting = reached(es, "waiting");
    await server.stop("SIGTERM");
    expect((await waiting).error).toMatchObject({ code: 4100, name: "draining" });
    await server.start();
    await es.channel<number>("log:a").publish(2);
    expect(data(await take(heard, 2))).toEqual([1, 2]);
  });
});
