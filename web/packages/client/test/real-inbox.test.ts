import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { inbox } from "../src/inbox.js";
import type { Client } from "../src/index.js";
import { map } from "../src/map.js";
import { type Place, readCursor } from "../src/read-cursor.js";
import { unread } from "../src/unread.js";
import { buildProgram, RealServer } from "./real.js";
import { client, numbers, reached } from "./script.js";

let folder = "";

beforeAll(() => {
  folder = buildProgram();
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A device of somebody, with the user that the server makes of their name. */
interface Device {
  readonly es: Client;
  readonly user: string;
}

async function start() {
  const server = await new RealServer(folder, "demo").start();
  onTestFinished(() => server.remove());
  const device = async (name: string): Promise<Device> => {
    const es = client(server, { token: name.padEnd(32, "-") });
    return { es, user: (await reached(es, "open")).user };
  };
  return { server, device };
}

const chat = "chat:room";

describe("inboxes and read cursors on the real server", { timeout: 60_000 }, () => {
  test("a message is on all devices of both, and nobody else can read it", async () => {
    const { device } = await start();
    const [ann, annToo, bob, eve] = await Promise.all(["ann", "ann", "bob", "eve"].map(device));
    if (!ann || !annToo || !bob || !eve) throw new Error("no devices");
    expect(annToo.user).toBe(ann.user);
    expect(new Set([ann.user, bob.user, eve.user]).size).toBe(3);
    await inbox<string>(ann.es, ann.user).send(bob.user, "for bob", { idem: "k1" });
    await inbox<string>(annToo.es, annToo.user).send(bob.user, "for bob", { idem: "k1" });
    const sent = inbox(annToo.es, annToo.user);
    const [copy, ...more] = (await sent.log.history()).publications;
    expect([copy?.data, more.length]).toEqual(["for bob", 0]);
    expect(copy && sent.partiesOf(copy)).toEqual({ mine: true, peer: bob.user });
    const got = inbox(bob.es, bob.user);
    const { publications } = await got.log.history();
    expect(publications.map((m) => [m.data, got.partiesOf(m)])).toEqual([
      ["for bob", { mine: false, peer: ann.user }],
    ]);
    const spied = inbox(eve.es, bob.user);
    await expect(spied.log.history()).rejects.toMatchObject({ name: "forbidden" });
    await expect(readCursor(eve.es, `inbox:${bob.user}`, eve.user).synced()).rejects.toMatchObject({
      name: "forbidden",
    });
  });

  test("a read cursor never goes back, on two devices at once, and across kill -9", async () => {
    const { server, device } = await start();
    const [ann, annToo, bob] = await Promise.all(["ann", "ann", "bob"].map(device));
    if (!ann || !annToo || !bob) throw new Error("no devices");
    const places: Place[] = [];
    for (const n of numbers(1, 20)) places.push(await bob.es.channel<number>(chat).publish(n));
    const cursors = [ann, annToo].map(({ es, user }) => readCursor(es, chat, user));
    await Promise.all(
      cursors.flatMap((cursor, i) =>
        places.filter((_, n) => n % 2 === i).map((place) => cursor.advance(place)),
      ),
    );
    const [first, last] = [places[0], places.at(-1)];
    if (!first || !last) throw new Error("nothing was published");
    for (const cursor of cursors) {
      await cursor.advance(first);
      await expect.poll(() => cursor.place?.offset).toBe(20);
    }
    await server.stop("SIGKILL");
    await server.start();
    const after = await device("ann");
    const again = readCursor(after.es, chat, after.user);
    await again.synced();
    expect(again.place).toEqual({ offset: last.offset, position: last.position });
  });

  test("unread counts agree on two devices, one of which is away", async () => {
    const { device } = await start();
    const [ann, bob] = await Promise.all(["ann", "bob"].map(device));
    if (!ann || !bob) throw new Error("no devices");
    const here = unread(ann.es, chat, ann.user);
    const room = bob.es.channel<number>(chat);
    for (const n of numbers(1, 5)) await room.publish(n);
    await ann.es.channel<number>(chat).publish(6);
    await expect.poll(() => here.count).toBe(5);
    const { publications } = await room.history({ limit: 3 });
    await here.advance(publications[0] ?? { offset: 0, position: "" });
    expect(here.count).toBe(1);
    const back = await device("ann");
    const there = unread(back.es, chat, back.user);
    await expect.poll(() => [there.count, there.upTo]).toEqual([1, 4]);
    const moved = publications[2];
    if (moved) await there.advance(moved);
    await expect.poll(() => [here.count, here.upTo]).toEqual([0, 6]);
  });

  test("nobody can move another's cursor", async () => {
    const { device } = await start();
    const [ann, bob] = await Promise.all(["ann", "bob"].map(device));
    if (!ann || !bob) throw new Error("no devices");
    const { offset, position } = await bob.es.channel(chat).publish(1);
    const cursors = map(ann.es, `read:${chat}`);
    await expect(cursors.set(bob.user, { off: offset, pos: position })).rejects.toMatchObject({
      name: "forbidden",
    });
    await expect(cursors.set(ann.user, { off: 9, pos: position })).rejects.toMatchObject({
      name: "bad_position",
    });
    await readCursor(ann.es, chat, ann.user).advance({ offset, position });
  });
});
