import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Publication, ResetError, type ResetEvent, type Subscription } from "../src/index.js";
import { numbers, open, reached, take } from "./script.js";

const reset = (pos: string, why = "evicted") => ({ reset: { ch: "log:a", pos, why } });
const data = (publications: readonly Publication[]) => publications.map((p) => p.data);
const iterate = <T>(sub: Subscription<T>) => sub[Symbol.asyncIterator]();

describe("a reset", () => {
  test("ends an iterator when nobody is told of it", async () => {
    const { es, peer } = await open();
    const sub = es.channel("log:a").subscribe();
    const lobby = iterate(sub);
    await peer.confirm();
    peer.publish(1);
    peer.say(reset("p9", "epoch"));
    peer.publish(10);
    expect(data(await take(lobby, 1))).toEqual([1]);
    const error = await lobby.next().catch((e) => e);
    expect(error).toBeInstanceOf(ResetError);
    expect(error).toMatchObject({ name: "reset", event: { channel: "log:a", position: "p9", why: "epoch" } });
    expect(await lobby.next()).toEqual({ done: true, value: undefined });
    expect(sub.position).toBe("p9");
    await peer.want("unsub");
  });

  test("goes to onReset, and the stream goes on when that is done", async () => {
    const { es, peer } = await open();
    const events: unknown[] = [];
    let done = () => {};
    const onReset = (event: ResetEvent) => {
      events.push(event.why);
      return new Promise<void>((resolve) => {
        done = resolve;
      });
    };
    const lobby = iterate(es.channel("log:a").subscribe({ onReset }));
    await peer.confirm();
    peer.publish(1);
    peer.say(reset("p9"));
    peer.publish(10, 11);
    void take(lobby, 3).then((all) => events.push(...data(all)));
    await expect.poll(() => events).toEqual(["evicted"]);
    done();
    await expect.poll(() => events).toEqual(["evicted", 1, 10, 11]);
  });

  test("an onReset that fails ends the iterator with its error", async () => {
    const { es, peer } = await open();
    const onReset = async () => {
      throw new Error("cannot reload");
    };
    const lobby = iterate(es.channel("log:a").subscribe({ onReset }));
    await peer.confirm();
    peer.say(reset("p9"));
    await expect(lobby.next()).rejects.toThrow("cannot reload");
  });

  test("goes to listeners", async () => {
    const { es, peer } = await open();
    const sub = es.channel("log:a").subscribe();
    const heard: unknown[] = [];
    sub.on("publication", (p) => heard.push(p.data));
    sub.on("reset", (event) => heard.push(event.why));
    await peer.confirm();
    peer.publish(1);
    peer.say(reset("p9", "something new"));
    peer.publish(10);
    await expect.poll(() => heard).toEqual([1, "unknown", 10]);
  });

  test("without a listener for it closes a subscription that is listened to", async () => {
    const { es, peer } = await open();
    const sub = es.channel("log:a").subscribe();
    const closed = new Promise((resolve) => sub.on("closed", resolve));
    sub.on("publication", () => {});
    await peer.confirm();
    peer.say(reset("p9"));
    expect(await closed).toBeInstanceOf(ResetError);
  });

  test("goes on with the last ones again where those were asked for", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ last: 3, onReset: () => {} }));
    await peer.confirm();
    peer.publish(1, 2);
    peer.say(reset("p9"));
    peer.publish(10);
    const taken = take(lobby, 6);
    expect((await peer.page(1, 10)).body).toEqual({ ch: "log:a", limit: 3 });
    peer.publish(11);
    expect(data(await taken)).toEqual([1, 2, 8, 9, 10, 11]);
  });

  test("is told after a cut between the confirmation and the reset", async () => {
    const { server, es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ onReset: () => {} }));
    await peer.confirm();
    peer.publish(1);
    await take(lobby, 1);
    peer.cut();
    const second = await server.peer();
    await second.greet();
    await second.confirm("p9");
    await second.settled();
    second.cut();
    const third = await server.peer();
    await third.greet();
    expect((await third.confirm("p1")).body.since).toBe("p1");
  });
});

describe("missed", () => {
  test("is counted and told, and the position moves on", async () => {
    const { server, es, peer } = await open();
    const onMissed = vi.fn();
    const sub = es.channel("live:a").subscribe({ onMissed });
    const cursors = iterate(sub);
    await peer.confirm();
    peer.publish(1, 1, "live:a");
    peer.say({ missed: { ch: "live:a", count: 4, pos: "p5" } });
    peer.publish(6, 6, "live:a");
    expect(data(await take(cursors, 2))).toEqual([1, 6]);
    expect(onMissed).toHaveBeenCalledExactlyOnceWith({ channel: "live:a", count: 4, position: "p5" });
    expect(sub.missed).toBe(4);
    peer.say({ missed: { ch: "live:a", count: 1, pos: "p7" } });
    await peer.settled();
    peer.cut();
    const next = await server.peer();
    await next.greet();
    expect((await next.want("sub")).body.since).toBe("p7");
  });
});

describe("a subscription that the server refuses", () => {
  test("ends with the error", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe());
    const sub = await peer.want("sub");
    peer.answer(sub, "error", { code: 103, name: "forbidden", reason: "no rule allows this" });
    await expect(lobby.next()).rejects.toMatchObject({
      code: 103,
      name: "forbidden",
      reason: "no rule allows this",
    });
    expect(await lobby.next()).toEqual({ done: true, value: undefined });
  });

  test("can be tried again by the listener that is told", async () => {
    const { es, peer } = await open();
    const channel = es.channel("log:a");
    const heard: unknown[] = [];
    const follow = () => {
      const sub = channel.subscribe();
      sub.on("publication", (p) => heard.push(p.data));
      sub.on("closed", (error) => error?.name === "forbidden" && follow());
    };
    follow();
    peer.answer(await peer.want("sub"), "error", { code: 103, name: "forbidden", reason: "" });
    await peer.confirm();
    peer.publish(1);
    await peer.settled();
    expect(heard).toEqual([1]);
  });

  test("for a while is asked for again", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ last: 1 }));
    const before = Date.now();
    peer.answer(await peer.want("sub"), "error", { code: 301, name: "unavailable", retry_ms: 100 });
    expect((await peer.confirm()).body.last).toBe(1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(99);
    peer.publish(1);
    await take(lobby, 1);
  });

  test("later, hands over what came before", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe());
    await peer.confirm();
    peer.publish(1, 2);
    peer.say({ unsubscribed: { ch: "log:a", code: 103, name: "forbidden", reason: "revoked" } });
    await peer.settled();
    expect(data(await take(lobby, 2))).toEqual([1, 2]);
    await expect(lobby.next()).rejects.toMatchObject({ code: 103, reason: "revoked" });
  });

  test("later and for a while, goes on where it was", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe());
    await peer.confirm();
    peer.publish(1);
    peer.say({ unsubscribed: { ch: "log:a", code: 301, name: "unavailable" } });
    expect((await peer.confirm("p1")).body.since).toBe("p1");
    peer.publish(2);
    expect(data(await take(lobby, 2))).toEqual([1, 2]);
  });
});

describe("ending", () => {
  test("break unsubscribes", async () => {
    const { es, peer } = await open();
    const read = (async () => {
      for await (const p of es.channel("log:a").subscribe()) return p.data;
    })();
    await peer.confirm();
    peer.publish(1);
    expect(await read).toBe(1);
    expect((await peer.want("unsub")).body).toEqual({ ch: "log:a" });
  });

  test("close finishes iterators that wait, and can be repeated", async () => {
    const { es, peer } = await open();
    const sub = es.channel("log:a").subscribe();
    const waiting = [iterate(sub).next(), iterate(sub).next()];
    await peer.confirm();
    sub.close();
    sub.close();
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    await peer.want("unsub");
    await es.close();
    expect(peer.unread).toBe(0);
  });

  test("a signal ends the subscription quietly", async () => {
    const { es, peer } = await open();
    const abort = new AbortController();
    const lobby = iterate(es.channel("log:a").subscribe({ signal: abort.signal }));
    await peer.confirm();
    const next = lobby.next();
    abort.abort();
    expect((await next).done).toBe(true);
    await peer.want("unsub");
  });

  test("a signal that has aborted already starts nothing", async () => {
    const { es } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ signal: AbortSignal.abort() }));
    expect((await lobby.next()).done).toBe(true);
  });

  test("publications of an ended subscription do not reach the next one", async () => {
    const { es, peer } = await open();
    const channel = es.channel("log:a");
    channel.subscribe().close();
    const lobby = iterate(channel.subscribe());
    await peer.confirm();
    peer.publish(1, 3);
    await peer.want("unsub");
    peer.publish(4);
    await peer.confirm("p4");
    peer.publish(5);
    expect(data(await take(lobby, 1))).toEqual([5]);
  });

  test("closing the client hands over what came and finishes iterators", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe());
    await peer.confirm();
    peer.publish(1);
    await peer.settled();
    await es.close();
    expect(data(await take(lobby, 1))).toEqual([1]);
    expect((await lobby.next()).done).toBe(true);
  });

  test("a client that the server ended fails its subscriptions", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe());
    await peer.confirm();
    peer.close(4002);
    await expect(lobby.next()).rejects.toMatchObject({ code: 4002 });
    await expect(iterate(es.channel("log:a").subscribe()).next()).rejects.toMatchObject({ code: 4002 });
  });

  test("subscribing to a closed client fails", async () => {
    const { es } = await open();
    await es.close();
    await expect(iterate(es.channel("log:a").subscribe()).next()).rejects.toMatchObject({ name: "closed" });
  });
});

describe("listeners", () => {
  test("hear everything until they are taken off", async () => {
    const { es, peer } = await open();
    const sub = es.channel("log:a").subscribe();
    const [one, two]: unknown[][] = [[], []];
    const off = sub.on("publication", (p) => one?.push(p.data));
    sub.on("publication", (p) => two?.push(p.data));
    await peer.confirm();
    peer.publish(1);
    await expect.poll(() => two).toEqual([1]);
    off();
    peer.publish(2);
    await expect.poll(() => two).toEqual([1, 2]);
    expect(one).toEqual([1]);
  });

  test("one that another takes off is not called any more", async () => {
    const { es, peer } = await open();
    const sub = es.channel("log:a").subscribe();
    const heard: string[] = [];
    sub.on("publication", () => {
      heard.push("first");
      off();
    });
    const off = sub.on("publication", () => heard.push("second"));
    await peer.confirm();
    peer.publish(1, 2);
    await peer.settled();
    expect(heard).toEqual(["first", "first"]);
  });

  test("a subscription that has them is not iterated", async () => {
    const { es } = await open();
    const sub = es.channel("log:a").subscribe();
    sub.on("publication", () => {});
    await expect(iterate(sub).next()).rejects.toMatchObject({ name: "bad_use" });
  });

  test("closed is told once", async () => {
    const { es } = await open();
    const sub = es.channel("log:a").subscribe();
    const closed = vi.fn();
    sub.on("closed", closed);
    sub.close();
    sub.close();
    expect(closed).toHaveBeenCalledExactlyOnceWith(undefined);
  });
});

describe("without echoes", () => {
  test("asks for that, and keeps the position of what was left out", async () => {
    const { server, es, peer } = await open();
    const sub = es.channel("log:a").subscribe({ echo: false });
    expect((await peer.confirm()).body).toEqual({ ch: "log:a", echo: false });
    peer.say({ moved: { ch: "log:a", pos: "p4" } });
    await expect.poll(() => sub.position).toBe("p4");
    peer.cut();
    const next = await server.peer();
    await next.greet();
    expect((await next.confirm()).body).toEqual({ ch: "log:a", echo: false, since: "p4" });
  });

  test("cannot be mixed with echoes, or joined in the past", async () => {
    const { es } = await open();
    const channel = es.channel("log:a");
    channel.subscribe({ echo: false });
    await expect(iterate(channel.subscribe()).next()).rejects.toMatchObject({ name: "bad_use" });
    await expect(iterate(channel.subscribe({ echo: false, last: 1 })).next()).rejects.toMatchObject({
      name: "bad_use",
    });
  });

  test("a second one hears what comes from now on", async () => {
    const { es, peer } = await open();
    const channel = es.channel("log:a");
    const first = iterate(channel.subscribe({ echo: false }));
    const second = iterate(channel.subscribe({ echo: false }));
    await peer.confirm();
    const both = Promise.all([take(first, 1), take(second, 1)]);
    peer.publish(5);
    expect((await both).map(data)).toEqual([[5], [5]]);
  });

  test("a slow consumer has the server say again what was dropped, for history would hold the echoes", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel("log:a").subscribe({ echo: false, queue: { count: 2 } }));
    await peer.confirm();
    peer.publish(1, 5);
    await peer.settled();
    const taken = take(lobby, 2);
    await peer.want("unsub");
    peer.publish(6);
    expect((await peer.confirm()).body).toEqual({ ch: "log:a", echo: false, since: "p0" });
    peer.publish(1, 2);
    expect(data(await taken)).toEqual([1, 2]);
  });

  test("that is told as a reset where others follow the channel too", async () => {
    const { es, peer } = await open();
    const told: string[] = [];
    const onReset = (e: ResetEvent) => void told.push(e.why);
    const channel = es.channel("log:a");
    const slow = iterate(channel.subscribe({ echo: false, queue: { count: 2 }, onReset }));
    const quick = iterate(channel.subscribe({ echo: false }));
    await peer.confirm();
    peer.publish(1, 5);
    expect(data(await take(quick, 5))).toEqual(numbers(1, 5));
    const taken = take(slow, 1);
    await expect.poll(() => told).toEqual(["unread"]);
    peer.publish(6);
    expect(data(await taken)).toEqual([6]);
  });
});

describe("hostile data", () => {
  test("__proto__ is an own property and changes nothing", async () => {
    const { es, peer } = await open();
    const lobby = iterate(es.channel<Record<string, unknown>>("log:a").subscribe());
    await peer.confirm();
    peer.say(
      '{"pub":{"ch":"log:a","off":1,"pos":"p1","data":{"__proto__":{"admin":true}},"tags":{"__proto__":"x"}}}',
    );
    const [publication] = await take(lobby, 1);
    expect(Object.keys(publication?.data ?? {})).toEqual(["__proto__"]);
    expect(publication?.data.admin).toBeUndefined();
    expect({}).not.toHaveProperty("admin");
  });

  test("channels named like properties of objects are channels like others", async () => {
    const { es, peer } = await open();
    for (const name of ["__proto__", "constructor", "toString"]) {
      const lobby = iterate(es.channel(name).subscribe());
      await peer.confirm();
      peer.publish(1, 1, name);
      expect((await take(lobby, 1))[0]?.channel).toBe(name);
    }
  });
});

test("nothing is asked while there is no connection, and everything when there is", async () => {
  const { server, es, peer } = await open({ backoff: { min: 30, max: 30 } });
  peer.cut();
  await reached(es, "waiting");
  const lobby = iterate(es.channel("log:a").subscribe({ since: "p3" }));
  const next = await server.peer();
  await next.greet();
  expect((await next.confirm("p3")).body).toEqual({ ch: "log:a", since: "p3" });
  next.publish(4);
  expect(data(await take(lobby, 1))).toEqual(numbers(4, 4));
  onTestFinished(() => es.close());
});
