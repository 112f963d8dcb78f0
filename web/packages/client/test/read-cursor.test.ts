import { expect, test } from "vitest";
import { readCursor } from "../src/read-cursor.js";
import { open } from "./script.js";

const place = (offset: number) => ({ offset, position: `p${offset}` });
const kept = (offset: number) => ({ off: offset, pos: `p${offset}` });
const ch = "read:log:a";

/** A cursor of ann whose map the server has confirmed. */
async function start() {
  const { es, peer, server } = await open();
  const cursor = readCursor(es, "log:a", "ann", { every: 100 });
  const sub = await peer.confirm();
  expect(sub.body).toMatchObject({ ch, every_ms: 100 });
  return { cursor, peer, server };
}

test("knows where this user and others are, and tells when this user moves", async () => {
  const { cursor, peer } = await start();
  const moves: unknown[] = [];
  cursor.on("move", (to) => moves.push(to));
  peer.key("ann", 1, kept(3), ch);
  peer.key("bob", 2, kept(9), ch);
  expect(cursor.isSynced).toBe(false);
  peer.synced(2, ch);
  await cursor.synced();
  expect(cursor.place).toEqual(place(3));
  expect(cursor.placeOf("bob")).toEqual(place(9));
  expect(cursor.placeOf("eve")).toBeUndefined();
  peer.key("ann", 3, kept(7), ch);
  await expect.poll(() => moves).toEqual([place(3), place(7)]);
});

test("of several moves at once only the last is said, after a pause", async () => {
  const { cursor, peer } = await start();
  const startedAt = Date.now();
  const moved = Promise.all([1, 2, 3].map((offset) => cursor.advance(place(offset))));
  const first = await peer.answered("set", 1);
  expect(first.body).toMatchObject({ ch, key: "ann", data: kept(1) });
  expect(first.body).not.toHaveProperty("if");
  expect((await peer.answered("set", 2)).body).toMatchObject({ ch, key: "ann", data: kept(3) });
  await moved;
  // By another clock than the timer's, which may be a little early.
  expect(Date.now() - startedAt).toBeGreaterThan(200);
  await peer.settled();
});

test("a move across a broken connection is said again", async () => {
  const { cursor, peer, server } = await start();
  const moved = cursor.advance(place(5));
  await peer.want("set");
  peer.cut();
  const next = await server.peer();
  await next.greet({ session: "s2" });
  await next.confirm();
  expect((await next.answered("set", 1)).body.data).toEqual(kept(5));
  await moved;
});

test("a refused move rejects, and the next one is said all the same", async () => {
  const { cursor, peer } = await start();
  const refused = cursor.advance(place(5));
  peer.refuse(await peer.want("set"), 102, "bad_position");
  await expect(refused).rejects.toMatchObject({ name: "bad_position" });
  const moved = cursor.advance(place(6));
  await peer.answered("set", 1);
  await moved;
});

test("ends with the reason of the server", async () => {
  const { es, peer } = await open();
  const cursor = readCursor(es, "log:a", "ann");
  const closed = new Promise((resolve) => cursor.on("closed", resolve));
  peer.refuse(await peer.want("sub"), 103, "forbidden");
  expect(await closed).toMatchObject({ name: "forbidden" });
  await expect(cursor.synced()).rejects.toMatchObject({ name: "forbidden" });
});
