import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { client, numbers, open, serve, take } from "./script.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

describe("connecting", () => {
  test("says hello with what the client is and asks for heartbeats", async () => {
    const server = await serve();
    const es = client(server, { token: "secret" });
    const peer = await server.peer();
    expect(peer.protocol).toBe("earshot.v1.json");
    const hello = await peer.greet({ session: "s7", user: "ann" });
    expect(hello.body).toEqual({
      client: `earshot-js/${version}`,
      sender: expect.stringMatching(/^[0-9a-f]{32}$/),
      heartbeat_ms: 25_000,
      token: "secret",
    });
    await expect.poll(() => es.state).toEqual({ name: "open", session: "s7", user: "ann", resumed: false });
  });

  test("names its session again after a cut", async () => {
    const { server, peer } = await open();
    peer.cut();
    const hello = await (await server.peer()).greet();
    expect(hello.body.resume).toBe("r1");
  });
});

describe("a subscription", () => {
  test("yields publications in order", async () => {
    const { es, peer } = await open();
    const lobby = es.channel<number>("log:a").subscribe({ last: 50 })[Symbol.asyncIterator]();
    expect((await peer.confirm()).body).toEqual({ ch: "log:a", last: 50 });
    peer.say({
      pub: {
        ch: "log:a",
        off: 1,
        pos: "p1",
        time: 1_700_000_000_001,
        user: "ann",
        event: "edit",
        data: 1,
        tags: { a: "b" },
      },
    });
    peer.publish(2);
    expect(await take(lobby, 2)).toEqual([
      {
        channel: "log:a",
        data: 1,
        event: "edit",
        offset: 1,
        position: "p1",
        time: 1_700_000_000_001,
        user: "ann",
        tags: { a: "b" },
      },
      expect.objectContaining({ data: 2, event: "message", user: "", tags: {} }),
    ]);
  });

  test("resumes after the last position, without a gap or a repeat", async () => {
    const { server, es, peer } = await open();
    const lobby = es.channel<number>("log:a").subscribe()[Symbol.asyncIterator]();
    await peer.confirm();
    peer.publish(1, 3);
    const first = await take(lobby, 3);
    peer.cut();
    const next = await server.peer();
    await next.greet();
    expect((await next.confirm("p3")).body).toEqual({ ch: "log:a", since: "p3" });
    next.publish(4, 6);
    const all = [...first, ...(await take(lobby, 3))];
    expect(all.map((p) => p.data)).toEqual(numbers(1, 6));
  });
});

test("ten reconnects without traffic replay nothing", async () => {
  const { server, es, peer } = await open();
  const lobby = es.channel<number>("log:a").subscribe({ last: 3 })[Symbol.asyncIterator]();
  await peer.confirm("p5");
  let at = peer;
  for (let i = 0; i < 10; i++) {
    await at.settled();
    at.cut();
    at = await server.peer();
    await at.greet();
    expect((await at.confirm("p5")).body).toEqual({ ch: "log:a", since: "p5" });
  }
  at.publish(6, 8);
  expect((await take(lobby, 3)).map((p) => p.data)).toEqual([6, 7, 8]);
});

describe("publish", () => {
  test("resolves when it is committed", async () => {
    const { es, peer } = await open();
    const receipt = es.channel("log:a").publish({ text: "hello" }, { event: "say", tags: { lang: "en" } });
    const pub = await peer.commit(7);
    expect(pub.body).toEqual({
      ch: "log:a",
      idem: expect.stringMatching(/^[0-9a-f]{32}$/),
      event: "say",
      data: { text: "hello" },
      tags: { lang: "en" },
    });
    expect(await receipt).toEqual({ position: "p7", offset: 7, duplicate: false, durability: "fsync" });
  });

  test("is sent again under the same id until it is answered", async () => {
    const { server, es, peer } = await open();
    const receipt = es.channel("log:a").publish("once");
    const pub = await peer.want("pub");
    peer.cut();
    const next = await server.peer();
    await next.greet();
    const again = await next.want("pub");
    expect(again.body).toEqual(pub.body);
    next.answer(again, "published", { ch: "log:a", off: 1, pos: "p1", dup: true, durability: "fsync" });
    expect((await receipt).duplicate).toBe(true);
  });
});
