import { describe, expect, test } from "vitest";
import { type Unread, unread } from "../src/unread.js";
import { open, type Peer } from "./script.js";

const ch = "read:log:a";
const kept = (offset: number, life = "p") => ({ off: offset, pos: `${life}${offset}` });

/** Publishes numbers, each by a user. */
function write(peer: Peer, from: number, to: number, user = "bob", life = "p"): void {
  for (let n = from; n <= to; n++)
    peer.say({ pub: { ch: "log:a", off: n, pos: `${life}${n}`, time: n, user, data: n } });
}

/** A count for ann, of a log that is followed and a map that is known. */
async function start(cursor: object | undefined, limit = 5) {
  const { es, peer, server } = await open();
  const count = unread(es, "log:a", "ann", { limit });
  await confirm(peer, limit);
  if (cursor) peer.key("ann", 1, cursor, ch);
  peer.synced(1, ch);
  return { count, peer, server };
}

/** Hears both subscriptions, in whichever order they come. */
async function confirm(peer: Peer, limit: number): Promise<void> {
  const subs = [await peer.confirm(), await peer.confirm()].map(({ body }) => body);
  expect(subs).toContainEqual({ ch });
  expect(subs).toContainEqual({ ch: "log:a", last: limit });
}

const state = ({ count, upTo }: Unread) => [count, upTo];

test("counts what others published after the cursor", async () => {
  const { count, peer } = await start(kept(2));
  write(peer, 1, 3);
  write(peer, 4, 4, "ann");
  write(peer, 5, 5);
  await expect.poll(() => state(count)).toEqual([2, 2]);
  expect(count.hasCursor).toBe(true);
});

test("counts nothing before the cursor is known, and everything for one who has read nothing", async () => {
  const { es, peer } = await open();
  const count = unread(es, "log:a", "ann", { limit: 5 });
  await confirm(peer, 5);
  write(peer, 1, 3);
  await peer.settled();
  expect(state(count)).toEqual([0, undefined]);
  peer.synced(0, ch);
  await expect.poll(() => state(count)).toEqual([3, 0]);
  expect(count.hasCursor).toBe(false);
});

test("counts no more than its limit", async () => {
  const { count, peer } = await start(kept(1));
  write(peer, 1, 50);
  await expect.poll(() => state(count)).toEqual([5, 1]);
});

test("what is read here counts at once, and what is read elsewhere when it is told", async () => {
  const { count, peer } = await start(undefined);
  let changes = 0;
  count.on("change", () => changes++);
  write(peer, 1, 4);
  await expect.poll(() => count.count).toBe(4);
  const moved = count.advance({ offset: 2, position: "p2" });
  expect(state(count)).toEqual([2, 2]);
  expect((await peer.answered("set", 2)).body.data).toEqual(kept(2));
  await moved;
  const before = changes;
  peer.key("ann", 3, kept(4), ch);
  await expect.poll(() => state(count)).toEqual([0, 4]);
  expect(changes).toBe(before + 1);
  await count.advance({ offset: 3, position: "p3" });
  await peer.settled();
});

describe("a cursor beyond the newest publication", () => {
  test("is ahead of it, if the server says so", async () => {
    const { count, peer } = await start(kept(7));
    write(peer, 1, 3);
    const asked = await peer.want("history");
    expect(asked.body).toEqual({ ch: "log:a", since: "p7", limit: 1 });
    peer.answer(asked, "page", { ch: "log:a", pos: "p9", complete: true });
    write(peer, 4, 9);
    await expect.poll(() => state(count)).toEqual([2, 7]);
    await peer.settled();
  });

  test("is of a log that is no more, if the server says that: then all is unread, until something is read", async () => {
    const { count, peer } = await start(kept(7, "old"));
    write(peer, 1, 3);
    const asked = await peer.want("history");
    peer.answer(asked, "page", { ch: "log:a", pos: "p3", complete: false });
    await expect.poll(() => state(count)).toEqual([3, 0]);
    const moved = count.advance({ offset: 2, position: "p2" });
    expect((await peer.answered("set", 2)).body.data).toEqual(kept(2));
    await moved;
    expect(state(count)).toEqual([1, 2]);
  });
});

test("when the log begins anew, nothing of it was read, whatever the offsets were", async () => {
  const { count, peer } = await start(kept(3));
  write(peer, 1, 4);
  await expect.poll(() => state(count)).toEqual([1, 3]);
  const moved = count.advance({ offset: 4, position: "p4" });
  await peer.answered("set", 2);
  await moved;
  peer.key("ann", 2, kept(4), ch);
  peer.say({ reset: { ch: "log:a", pos: "new0", why: "epoch" } });
  const again = await peer.want("history");
  const pubs = [1, 2, 3, 4, 5].map((n) => ({ off: n, pos: `new${n}`, time: n, user: "bob", data: n }));
  peer.answer(again, "page", { ch: "log:a", pubs, pos: "new5", complete: true });
  await expect.poll(() => state(count)).toEqual([5, 0]);
});

test("ends with the reason of the server, and counts nothing then", async () => {
  const { es, peer } = await open();
  const count = unread(es, "log:a", "ann");
  const closed = new Promise((resolve) => count.on("closed", resolve));
  for (let i = 0; i < 2; i++) {
    const sub = await peer.want("sub");
    if (sub.body.ch === ch) peer.refuse(sub, 103, "forbidden");
    else peer.answer(sub, "subscribed", { ch: "log:a", pos: "p0" });
  }
  expect(await closed).toMatchObject({ name: "forbidden" });
  expect(count.count).toBe(0);
  expect((await peer.want("unsub")).body.ch).toBe("log:a");
});
