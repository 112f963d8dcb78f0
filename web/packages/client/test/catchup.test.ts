import { describe, expect, test } from "vitest";
import type { Publication, ResetEvent, Subscription } from "../src/index.js";
import { numbers, open, take } from "./script.js";

const data = (publications: readonly Publication[]) => publications.map((p) => p.data);
const iterate = <T>(sub: Subscription<T>) => sub[Symbol.asyncIterator]();
describe("a second subscription of a channel", () => {
  /** A client with one live subscription, and its channel. */
  async function shared(first = {}) {
    const { server, es, peer } = await open();
    const channel = es.channel("log:a");
    const one = iterate(channel.subscribe(first));
    await peer.confirm("p0");
    return { server, es, peer, channel, one };
  }

  test("shares the one on the wire and starts now", async () => {
    const { peer, channel, one } = await shared();
    peer.publish(1, 3);
    await peer.settled();
    const two = take(iterate(channel.subscribe()), 2);
    expect((await peer.page(1, 3)).body).toEqual({ ch: "log:a", limit: 1 });
    peer.publish(4, 5);
    expect(data(await two)).toEqual([4, 5]);
    expect(data(await take(one, 5))).toEqual(numbers(1, 5));
    expect(peer.unread).toBe(0);
  });

  test("starting now leaves out what the feed still has to catch up with", async () => {
    const { peer, channel } = await shared({ since: "p0" });
    peer.publish(1, 2);
    await peer.settled();
    const two = take(iterate(channel.subscribe()), 1);
    await peer.page(1, 6);
    peer.publish(3, 7);
    expect(data(await two)).toEqual([7]);
  });

  test("gets its own last ones, and joins without a gap or a repeat", async () => {
    const { peer, channel } = await shared();
    peer.publish(1, 6);
    await peer.settled();
    const two = take(iterate(channel.subscribe({ last: 3 })), 6);
    const request = await peer.want("history");
    expect(request.body).toEqual({ ch: "log:a", limit: 3 });
    // These come before the answer: two of them are in the page, and one was committed after it was read.
    peer.publish(7, 9);
    peer.answer(request, "page", {
      ch: "log:a",
      pubs: numbers(6, 8).map((n) => ({ off: n, pos: `p${n}`, data: n })),
      pos: "p8",
      complete: true,
      more: true,
    });
    peer.publish(10, 11);
    expect(data(await two)).toEqual(numbers(6, 11));
  });

  test("goes back page by page for more than a page", async () => {
    const { peer, channel } = await shared();
    const two = take(iterate(channel.subscribe({ last: 1_200 })), 1_200);
    expect((await peer.page(1, 2_000)).body).toEqual({ ch: "log:a", limit: 500 });
    expect((await peer.page(1, 2_000)).body).toEqual({ ch: "log:a", before: "p1501", limit: 500 });
    expect((await peer.page(1, 2_000)).body).toEqual({ ch: "log:a", before: "p1001", limit: 200 });
    expect((await peer.page(1, 2_000)).body).toEqual({ ch: "log:a", since: "p1000", limit: 500 });
    expect((await peer.page(1, 2_000)).body).toEqual({ ch: "log:a", since: "p1500", limit: 500 });
    expect(data(await two)).toEqual(numbers(801, 2_000));
  });

  test("asking for more than there is gets all there is", async () => {
    const { peer, channel } = await shared();
    const two = take(iterate(channel.subscribe({ last: 700 })), 600);
    await peer.page(1, 600);
    await peer.page(1, 600);
    await peer.page(1, 600);
    expect(data(await two)).toEqual(numbers(1, 600));
  });

  test("goes on after its own position", async () => {
    const { peer, channel } = await shared();
    peer.publish(1, 6);
    await peer.settled();
    const two = take(iterate(channel.subscribe({ since: "p4" })), 4);
    expect((await peer.page(1, 6)).body).toEqual({ ch: "log:a", since: "p4", limit: 500 });
    peer.publish(7, 8);
    expect(data(await two)).toEqual(numbers(5, 8));
  });

  test("ahead of the feed waits for it", async () => {
    const { peer, channel } = await shared({ since: "p0" });
    peer.publish(1, 2);
    await peer.settled();
    const two = take(iterate(channel.subscribe({ since: "p6" })), 2);
    // The page is empty, so that no offset tells where position p6 is.
    await peer.page(1, 6);
    peer.publish(3, 8);
    expect(data(await two)).toEqual([7, 8]);
  });

  test("ahead of a feed that begins anew is told of a reset", async () => {
    const { peer, channel } = await shared({ since: "p0", onReset: () => {} });
    const told: ResetEvent[] = [];
    const two = take(iterate(channel.subscribe({ since: "p4", onReset: (e) => void told.push(e) })), 3);
    await peer.page(1, 6);
    await peer.settled();
    peer.say({ reset: { ch: "log:a", pos: "q0", why: "epoch" } });
    const again = await peer.want("history");
    expect(again.body.since).toBe("p6");
    peer.answer(again, "page", { ch: "log:a", pos: "q0" });
    const last = await peer.want("history");
    expect(last.body.since).toBe("q0");
    peer.answer(last, "page", { ch: "log:a", pos: "q0", complete: true });
    peer.say({ pub: { ch: "log:a", off: 1, pos: "q1", data: "new" } });
    expect(data(await two)).toEqual([5, 6, "new"]);
    expect(told).toEqual([{ channel: "log:a", position: "q0", why: "unknown" }]);
  });

  test("at a position that is lost is told of a reset, and goes on at the top", async () => {
    const { peer, channel } = await shared();
    const told: ResetEvent[] = [];
    const two = take(iterate(channel.subscribe({ since: "p2", onReset: (e) => void told.push(e) })), 2);
    await peer.page(5, 8);
    await peer.page(5, 8);
    peer.publish(1, 10);
    expect(data(await two)).toEqual([9, 10]);
    expect(told).toEqual([{ channel: "log:a", position: "p8", why: "evicted" }]);
  });

  test("is not joined to a feed that was reset while it read", async () => {
    const { peer, channel } = await shared({ onReset: () => {} });
    peer.publish(1, 5);
    await peer.settled();
    const two = take(iterate(channel.subscribe({ last: 2, onReset: () => {} })), 5);
    const request = await peer.want("history");
    peer.say({ reset: { ch: "log:a", pos: "q0", why: "epoch" } });
    peer.say({ pub: { ch: "log:a", off: 1, pos: "q1", data: "new 1" } });
    peer.answer(request, "page", {
      ch: "log:a",
      pubs: [4, 5].map((n) => ({ off: n, pos: `p${n}`, data: n })),
      pos: "p5",
      complete: true,
      more: true,
    });
    const again = await peer.want("history");
    expect(again.body.since).toBe("p5");
    peer.answer(again, "page", { ch: "log:a", pos: "q1" });
    const last = await peer.want("history");
    expect(last.body).toEqual({ ch: "log:a", limit: 2 });
    peer.answer(last, "page", {
      ch: "log:a",
      pubs: [{ off: 1, pos: "q1", data: "new 1" }],
      pos: "q1",
      complete: true,
    });
    peer.say({ pub: { ch: "log:a", off: 2, pos: "q2", data: "new 2" } });
    peer.say({ pub: { ch: "log:a", off: 3, pos: "q3", data: "new 3" } });
    expect(data(await two)).toEqual([4, 5, "new 1", "new 2", "new 3"]);
  });

  test("that may not read the log fails, and the first goes on", async () => {
    const { peer, channel, one } = await shared();
    const two = iterate(channel.subscribe({ last: 3 })).next();
    peer.answer(await peer.want("history"), "error", { code: 103, name: "forbidden", reason: "" });
    await expect(two).rejects.toMatchObject({ name: "forbidden" });
    peer.publish(1);
    expect(data(await take(one, 1))).toEqual([1]);
  });

  test("starting now in a channel that keeps nothing, or that it may not read, joins at once", async () => {
    for (const code of [109, 103]) {
      const { peer, channel } = await shared();
      const two = take(iterate(channel.subscribe()), 2);
      const request = await peer.want("history");
      peer.publish(1);
      peer.answer(request, "error", { code, name: "", reason: "" });
      peer.publish(2);
      expect(data(await two)).toEqual([1, 2]);
    }
  });

  test("hears what comes before it asks", async () => {
    for (const options of [{}, { last: 2 }]) {
      const { peer, channel } = await shared();
      const sub = channel.subscribe(options);
      await peer.page(1, 0);
      peer.publish(1, 2);
      await peer.settled();
      expect(data(await take(iterate(sub), 2))).toEqual([1, 2]);
    }
  });

  test("the last to leave ends the one on the wire", async () => {
    const { peer, channel, one } = await shared();
    const two = channel.subscribe();
    await peer.page(1, 0);
    await one.return?.();
    await peer.settled();
    two.close();
    await peer.want("unsub");
  });

  test("across a cut, each goes on from where it is", async () => {
    const { server, peer, channel, one } = await shared();
    peer.publish(1, 4);
    await peer.settled();
    const two = take(iterate(channel.subscribe({ last: 2 })), 6);
    await peer.want("history");
    peer.cut();
    const next = await server.peer();
    await next.greet();
    await next.confirm("p4");
    next.publish(5, 7);
    await next.page(1, 6);
    next.publish(8, 10);
    expect(data(await two)).toEqual(numbers(5, 10));
    expect(data(await take(one, 10))).toEqual(numbers(1, 10));
  });
});

describe("a slow consumer", () => {
  test("of a log reads on from it, at its own pace and without a gap", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ queue: { count: 10 } }));
    await peer.confirm("p0");
    peer.publish(1, 4);
    expect(data(await take(lobby, 2))).toEqual([1, 2]);
    peer.publish(5, 100);
    await peer.settled();
    expect(peer.unread).toBe(0);
    const rest = take(lobby, 99);
    for (let since = 2; since < 100; since += 10) {
      expect((await peer.page(1, 100)).body).toEqual({ ch: "log:a", since: `p${since}`, limit: 10 });
    }
    peer.publish(101);
    expect(data(await rest)).toEqual(numbers(3, 101));
  });

  test("is bounded in bytes too", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ queue: { bytes: 2_000 } }));
    await peer.confirm("p0");
    const large = "x".repeat(1_500);
    for (const n of [1, 2, 3]) peer.say({ pub: { ch: "log:a", off: n, pos: `p${n}`, data: large } });
    await peer.settled();
    const taken = take(lobby, 3);
    expect((await peer.page(1, 3)).body.since).toBe("p0");
    expect(data(await taken)).toEqual([1, 2, 3]);
  });

  test("takes one publication however large it is", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ queue: { bytes: 10 } }));
    await peer.confirm("p0");
    peer.say({ pub: { ch: "log:a", off: 1, pos: "p1", data: "x".repeat(1_000) } });
    expect((await take(lobby, 1))[0]?.offset).toBe(1);
  });

  test("that was evicted meanwhile is told of a reset", async () => {
    const { es, peer } = await open();
    const told: ResetEvent[] = [];
    const onReset = (e: ResetEvent) => void told.push(e);
    const lobby = iterate(es.channel("log:a").subscribe({ queue: { count: 5 }, onReset }));
    await peer.confirm("p0");
    peer.publish(1, 50);
    await peer.settled();
    const taken = take(lobby, 1);
    await peer.page(30, 50);
    await peer.page(30, 50);
    peer.publish(51);
    expect(data(await taken)).toEqual([51]);
    expect(told).toMatchObject([{ position: "p50", why: "evicted" }]);
  });

  test("of a channel that keeps nothing is told how many it missed", async () => {
    const { es, peer } = await open();
    const sub = es.channel("live:a").subscribe({ queue: { count: 10 } });
    const cursors = iterate(sub);
    await peer.confirm("p0");
    peer.publish(1, 25, "live:a");
    await peer.settled();
    const first = take(cursors, 1);
    const request = await peer.want("history");
    peer.publish(26, 27, "live:a");
    peer.answer(request, "error", { code: 109, name: "no_history", reason: "the channel keeps nothing" });
    expect(data(await first)).toEqual([26]);
    expect(sub.missed).toBe(25);
    // From now on it is known that nothing is kept, and the newest ten stay.
    peer.publish(28, 50, "live:a");
    await peer.settled();
    expect(data(await take(cursors, 10))).toEqual(numbers(41, 50));
    expect(sub.missed).toBe(25 + 14);
  });

  test("that may not read the log has the server say it again", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ queue: { count: 3 } }));
    await peer.confirm("p0");
    peer.publish(1, 2);
    expect(data(await take(lobby, 1))).toEqual([1]);
    peer.publish(3, 9);
    await peer.settled();
    const taken = take(lobby, 4);
    peer.answer(await peer.want("history"), "error", { code: 103, name: "forbidden", reason: "" });
    await peer.want("unsub");
    expect((await peer.confirm()).body.since).toBe("p1");
    peer.publish(2, 5);
    expect(data(await taken)).toEqual(numbers(2, 5));
  });

  test("that may not read the log and was cut off is not given what a late answer begins", async () => {
    const { server, es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ queue: { count: 3 } }));
    await peer.confirm("p0");
    peer.publish(1, 9);
    await peer.settled();
    const taken = take(lobby, 2);
    await peer.want("history");
    peer.cut();
    const next = await server.peer();
    await next.greet();
    const first = await next.want("sub");
    next.answer(await next.want("history"), "error", { code: 103, name: "forbidden", reason: "" });
    await next.want("unsub");
    const second = await next.want("sub");
    next.answer(first, "subscribed", { ch: "log:a", pos: "p9" });
    next.publish(10);
    next.answer(second, "subscribed", { ch: "log:a", pos: "p0" });
    next.publish(1, 2);
    expect(data(await taken)).toEqual([1, 2]);
  });

  test("does not hold up another one of the same channel", async () => {
    const { es, peer } = await open();
    const channel = es.channel("log:a");
    const slow = iterate(channel.subscribe({ queue: { count: 5 } }));
    await peer.confirm("p0");
    const quick = iterate(channel.subscribe({ since: "p0" }));
    const all = take(quick, 40);
    await peer.page(1, 0);
    await peer.settled();
    peer.publish(1, 40);
    expect(data(await all)).toEqual(numbers(1, 40));
    const late = take(slow, 40);
    for (let i = 0; i < 8; i++) await peer.page(1, 40);
    expect(data(await late)).toEqual(numbers(1, 40));
  });
});
