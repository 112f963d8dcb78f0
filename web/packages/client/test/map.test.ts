import { describe, expect, test } from "vitest";
import { ClientCode } from "../src/index.js";
import { type Change, map } from "../src/map.js";
import { open, reached, take } from "./script.js";

/** What is of interest of changes. */
const told = (changes: readonly Change[]) =>
  changes.map(({ key, version, data, gone }) => (gone ? `${key} gone` : `${key}=${data}@${version}`));

/** A map that is followed and holds `a` to `c`. */
async function followed() {
  const setting = await open();
  const sub = map<unknown>(setting.es, "map:a").subscribe();
  await setting.peer.confirm();
  ["a", "b", "c"].forEach((key, i) => void setting.peer.key(key, i + 1, key));
  setting.peer.synced(3);
  await sub.synced();
  return { ...setting, sub };
}

describe("a subscription", () => {
  test("has a copy of the keys, and iterates over the changes", async () => {
    const { peer, sub } = await followed();
    expect([...sub.entries.keys()]).toEqual(["a", "b", "c"]);
    expect(sub.entries.get("b")).toEqual({ data: "b", version: 2, user: "", time: 1_700_000_000_002 });
    const changes = sub[Symbol.asyncIterator]();
    expect(told(await take(changes, 3))).toEqual(["a=a@1", "b=b@2", "c=c@3"]);
    peer.key("a", 4);
    expect(told(await take(changes, 1))).toEqual(["a gone"]);
    expect(sub.entries.has("a")).toBe(false);
  });

  test("hands a slow consumer the latest of each key", async () => {
    const { peer, sub } = await followed();
    for (let off = 4; off < 1_000; off++) peer.key("b", off, off);
    peer.key("a", 1_000);
    await expect.poll(() => sub.entries.size).toBe(2);
    const changes = sub[Symbol.asyncIterator]();
    expect(told(await take(changes, 3))).toEqual(["c=c@3", "b=999@999", "a gone"]);
  });

  test("tells listeners of the keys that there are, of the changes, and once that it knows all", async () => {
    const { peer, sub } = await followed();
    const heard: string[] = [];
    sub.on("change", (change) => heard.push(...told([change])));
    sub.on("synced", () => heard.push("synced"));
    await peer.settled();
    peer.key("d", 4, 1);
    await peer.settled();
    expect(heard).toEqual(["a=a@1", "b=b@2", "c=c@3", "synced", "d=1@4"]);
  });

  test("goes on after its position on the next connection", async () => {
    const { server, peer, sub } = await followed();
    peer.cut();
    const next = await server.peer();
    await next.greet();
    expect((await next.confirm()).body).toEqual({ ch: "map:a", since: "p3" });
    next.key("b", 5);
    next.synced(5);
    await expect.poll(() => [...sub.entries.keys()]).toEqual(["a", "c"]);
  });

  test("after a reset, keys that do not come again are gone, and others never were", async () => {
    const { peer, sub } = await followed();
    const heard: string[] = [];
    const sizes: number[] = [];
    sub.on("change", (change) => {
      heard.push(...told([change]));
      sizes.push(sub.entries.size);
    });
    sub.on("reset", ({ why }) => heard.push(why));
    sub.on("synced", () => heard.push("synced"));
    await peer.settled();
    heard.length = 0;
    sizes.length = 0;
    peer.say({ reset: { ch: "map:a", pos: "q0", why: "epoch" } });
    peer.key("c", 1, "new");
    await peer.settled();
    expect(sub.isSynced).toBe(false);
    peer.synced(1);
    await sub.synced();
    expect(heard).toEqual(["epoch", "c=new@1", "a gone", "b gone", "synced"]);
    expect(sizes).toEqual([3, 2, 1]);
  });

  test("shares one copy with others, and the last one ends it", async () => {
    const { es, peer, sub } = await followed();
    const second = map(es, "map:a").subscribe();
    expect(told(await take(second[Symbol.asyncIterator](), 3))).toEqual(["a=a@1", "b=b@2", "c=c@3"]);
    await second.synced();
    sub.close();
    await peer.settled();
    peer.key("a", 4, "still");
    await expect.poll(() => second.entries.get("a")?.data).toBe("still");
    second.close();
    expect((await peer.want("unsub")).body).toEqual({ ch: "map:a" });
    map(es, "map:a").subscribe();
    expect((await peer.want("sub")).body).toEqual({ ch: "map:a" });
  });

  test("does not mix with one of the channel as a stream, nor with another rate", async () => {
    const { es } = await followed();
    const badUse = { code: ClientCode.badUse };
    await expect(take(es.channel("map:a").subscribe()[Symbol.asyncIterator](), 1)).rejects.toMatchObject(
      badUse,
    );
    await expect(map(es, "map:a").subscribe({ every: 5 }).synced()).rejects.toMatchObject(badUse);
    es.channel("map:b").subscribe();
    await expect(take(map(es, "map:b").subscribe()[Symbol.asyncIterator](), 1)).rejects.toMatchObject(badUse);
  });

  test("ends with the server's refusal, with the client, and with its signal", async () => {
    const { es, peer } = await open();
    const refused = map(es, "map:a").subscribe();
    peer.refuse(await peer.want("sub"), 103, "forbidden");
    await expect(refused.synced()).rejects.toMatchObject({ name: "forbidden" });
    await expect(take(refused[Symbol.asyncIterator](), 1)).rejects.toMatchObject({ name: "forbidden" });
    const abort = new AbortController();
    const aborted = map(es, "map:a").subscribe({ signal: abort.signal });
    const waiting = aborted.synced().catch((error) => error.name);
    abort.abort();
    expect(await waiting).toBe("closed");
    expect(await take(aborted[Symbol.asyncIterator](), 1)).toEqual([]);
    const open2 = map(es, "map:b").subscribe();
    const last = take(open2[Symbol.asyncIterator](), 1);
    await es.close();
    expect(await last).toEqual([]);
    await expect(map(es, "map:b").subscribe().synced()).rejects.toMatchObject({ name: "closed" });
  });
});

describe("update", () => {
  test("tries again with what somebody else has set meanwhile", async () => {
    const { peer, sub } = await followed();
    const done = sub.update("b", (was) => `${was}!`);
    const first = await peer.want("set");
    expect(first.body).toMatchObject({ data: "b!", if: 2 });
    peer.refuse(first, 112, "version_mismatch");
    await peer.settled();
    peer.key("b", 9, "other");
    const second = await peer.answered("set", 10);
    expect(second.body).toMatchObject({ data: "other!", if: 9 });
    expect(second.body.idem).not.toBe(first.body.idem);
    expect((await done)?.offset).toBe(10);
  });

  test("sets a key that is not there, and leaves one alone", async () => {
    const { peer, sub } = await followed();
    const done = sub.update("new", (was) => was ?? 1);
    expect((await peer.answered("set", 4)).body).toMatchObject({ data: 1, if: 0 });
    await done;
    expect(await sub.update("a", () => undefined)).toBeUndefined();
  });

  test("gives up with its signal, also while it waits for the change", async () => {
    const { peer, sub } = await followed();
    const abort = new AbortController();
    const done = sub.update("b", () => 1, { signal: abort.signal });
    peer.refuse(await peer.want("set"), 112, "version_mismatch");
    await peer.settled();
    abort.abort(new Error("enough"));
    await expect(done).rejects.toThrow("enough");
  });
});

describe("keys of one's own", () => {
  const wanted = { ch: "map:a", key: "k", data: 1, own: true };

  test("that vanished with the session are set again by the next, under another id", async () => {
    const { server, es, peer } = await open();
    const done = map(es, "map:a").set("k", 1, { own: true });
    const first = await peer.answered("set", 1);
    await done;
    peer.cut();
    const next = await server.peer();
    await next.greet({ session: "s2" });
    const second = await next.answered("set", 2);
    expect(second.body).toEqual({ ...wanted, idem: second.body.idem });
    expect(second.body.idem).not.toBe(first.body.idem);
  });

  test("are set by a session that goes on only if they are missing", async () => {
    const { server, es, peer } = await open();
    const done = map(es, "map:a").set("k", 1, { own: true });
    await peer.answered("set", 1);
    await done;
    peer.cut();
    const next = await server.peer();
    await next.greet({ resumed: true });
    const again = await next.want("set");
    expect(again.body).toEqual({ ...wanted, if: 0, idem: again.body.idem });
    next.refuse(again, 112, "version_mismatch");
    await next.settled();
    next.cut();
    const third = await server.peer();
    await third.greet({ session: "s2" });
    expect((await third.want("set")).body).not.toHaveProperty("if");
  });

  test("under a condition are not taken from somebody else", async () => {
    const { server, es, peer } = await open();
    const errors: string[] = [];
    es.on("error", ({ name }) => errors.push(name));
    const done = map(es, "map:a").set("k", 1, { own: true, if: 0 });
    await peer.answered("set", 7);
    await done;
    peer.cut();
    const next = await server.peer();
    await next.greet({ session: "s2" });
    for (const version of [7, 0]) {
      const again = await next.want("set");
      expect(again.body.if).toBe(version);
      next.refuse(again, 112, "version_mismatch");
    }
    await expect.poll(() => errors).toEqual(["version_mismatch"]);
    next.cut();
    const third = await server.peer();
    await third.greet({ session: "s3" });
    await third.settled();
  });

  test("are given up by deleting them, by setting them without, and when their time is over", async () => {
    const { server, es, peer } = await open();
    const keys = map(es, "map:a");
    const done = Promise.all([
      keys.set("deleted", 1, { own: true }),
      keys.delete("deleted"),
      keys.set("given", 1, { own: true }),
      keys.set("given", 2),
      keys.set("over", 1, { own: true, ttl: 1 }),
      keys.set("kept", 1, { own: true, ttl: 60_000 }),
    ]);
    for (const kind of ["set", "del", "set", "set", "set", "set"]) await peer.answered(kind, 1);
    await done;
    peer.cut();
    const next = await server.peer();
    await next.greet({ session: "s2" });
    const again = await next.answered("set", 2);
    expect(again.body).toMatchObject({ key: "kept", own: true });
    expect(again.body.ttl_ms).toBeGreaterThan(50_000);
    expect(again.body.ttl_ms).toBeLessThanOrEqual(60_000);
    await next.settled();
  });

  test("leave the last word to a change that waits", async () => {
    const { server, es, peer } = await open();
    const keys = map(es, "map:a");
    const done = Promise.all([keys.set("k", 1, { own: true }), keys.set("j", 1, { own: true })]);
    for (const off of [1, 2]) await peer.answered("set", off);
    await done;
    peer.cut();
    await expect.poll(() => es.state.name).not.toBe("open");
    const newer = keys.set("k", 2, { own: true });
    const refused = keys.set("j", 2, { own: true }).catch(({ name }) => name);
    const next = await server.peer();
    await next.greet({ session: "s2" });
    expect((await next.answered("set", 3)).body).toMatchObject({ key: "k", data: 2 });
    await newer;
    next.refuse(await next.want("set"), 111, "rejected");
    expect(await refused).toBe("rejected");
    // What was there before, because nothing else took its place.
    expect((await next.answered("set", 4)).body).toMatchObject({ key: "j", data: 1, own: true });
    await next.settled();
  });

  test("of an attempt whose answer was lost are taken over", async () => {
    const { server, es, peer } = await open();
    const done = map(es, "map:a").set("k", 1, { own: true });
    const first = await peer.want("set");
    peer.cut();
    const next = await server.peer();
    await next.greet({ session: "s2" });
    const again = await next.want("set");
    expect(again.body).toEqual(first.body);
    next.answer(again, "published", { ch: "map:a", off: 1, dup: true });
    await done;
    const renewed = await next.answered("set", 2);
    expect(renewed.body).toEqual({ ...wanted, idem: renewed.body.idem });
    expect(renewed.body.idem).not.toBe(first.body.idem);
  });

  test("are said once more if the session ends while they are set again", async () => {
    const { server, es, peer } = await open();
    const done = map(es, "map:a").set("k", 1, { own: true });
    await peer.answered("set", 1);
    await done;
    peer.cut();
    const next = await server.peer();
    await next.greet({ resumed: true });
    const missing = await next.want("set");
    next.cut();
    const third = await server.peer();
    await third.greet({ session: "s2" });
    const resent = await third.want("set");
    expect(resent.body).toEqual(missing.body);
    third.refuse(resent, 112, "version_mismatch");
    expect((await third.answered("set", 2)).body).not.toHaveProperty("if");
    await third.settled();
    expect((await reached(es, "open")).session).toBe("s2");
  });
});
