import { expect, test } from "vitest";
import { inbox } from "../src/inbox.js";
import { open, take } from "./script.js";

test("a message goes to the recipient, and then a copy of it into the own inbox", async () => {
  const { es, peer } = await open();
  const sent = inbox<string>(es, "ann").send("bob", "hello", { idem: "k1", event: "note" });
  const first = await peer.want("pub");
  expect(first.body).toEqual({ ch: "inbox:bob", idem: "k1", event: "note", data: "hello" });
  await peer.settled();
  peer.answer(first, "published", { ch: "inbox:bob", off: 7, pos: "p7", durability: "fsync" });
  const copy = await peer.commit(9);
  expect(copy.body).toEqual({
    ch: "inbox:ann",
    idem: "k1.copy",
    event: "note",
    data: "hello",
    tags: { to: "bob" },
  });
  expect(await sent).toMatchObject({ offset: 7, position: "p7" });
});

test("what was not answered before the connection broke is sent again under the same ids", async () => {
  const { server, es, peer } = await open();
  const sent = inbox<string>(es, "ann").send("bob", "hello");
  const first = await peer.commit(1);
  const copy = await peer.want("pub");
  peer.cut();
  const next = await server.peer();
  await next.greet({ session: "s2" });
  const again = await next.commit(5);
  expect(again.body).toEqual(copy.body);
  expect(copy.body.idem).toBe(`${first.body.idem}.copy`);
  await sent;
});

test("what the recipient's inbox refuses leaves no copy, and does not count as sent", async () => {
  const { es, peer } = await open();
  const sent = inbox<string>(es, "ann").send("bob", "hello");
  peer.refuse(await peer.want("pub"), 103, "forbidden");
  await expect(sent).rejects.toMatchObject({ name: "forbidden" });
  await peer.settled();
});

test("a send that failed half way is made up for by the same send again", async () => {
  const { es, peer } = await open();
  const mine = inbox<string>(es, "ann");
  const failed = mine.send("bob", "hello", { idem: "k1" });
  await peer.commit(1);
  peer.refuse(await peer.want("pub"), 111, "rejected");
  await expect(failed).rejects.toMatchObject({ name: "rejected" });
  const again = mine.send("bob", "hello", { idem: "k1" });
  const first = await peer.want("pub");
  expect(first.body).toMatchObject({ ch: "inbox:bob", idem: "k1" });
  peer.answer(first, "published", { ch: "inbox:bob", off: 1, pos: "p1", dup: true, durability: "fsync" });
  expect((await peer.commit(2)).body).toMatchObject({ ch: "inbox:ann", idem: "k1.copy" });
  expect(await again).toMatchObject({ duplicate: true });
});

test("a message whose copy would be too long is not sent at all", async () => {
  const { es, peer } = await open();
  const overhead = JSON.stringify({ ch: "inbox:bob", idem: "k", data: "" }).length + 32;
  const longest = "x".repeat(65_536 - overhead);
  const sent = inbox<string>(es, "ann").send("bob", longest, { idem: "k" });
  await expect(sent).rejects.toMatchObject({ name: "too_large" });
  await peer.settled();
});

test("a note to oneself is one message", async () => {
  const { es, peer } = await open();
  const sent = inbox<string>(es, "ann").send("ann", "buy milk", { idem: "k1" });
  expect((await peer.commit(1)).body).toEqual({
    ch: "inbox:ann",
    idem: "k1",
    data: "buy milk",
    tags: { to: "ann" },
  });
  await sent;
  await peer.settled();
});

test("says between whom a message is by what the server says, not by what the sender says", async () => {
  const { es, peer } = await open();
  const mine = inbox<string>(es, "ann", { namespace: "mail" });
  const messages = mine.log.subscribe()[Symbol.asyncIterator]();
  expect((await peer.confirm()).body.ch).toBe("mail:ann");
  const say = (off: number, from: object) =>
    peer.say({ pub: { ch: "mail:ann", off, pos: `p${off}`, time: 1, data: "x", ...from } });
  say(1, { user: "bob" });
  say(2, { user: "ann", tags: { to: "bob" } });
  say(3, { user: "mallory", tags: { to: "bob" } });
  say(4, { user: "ann" });
  say(5, {});
  expect((await take(messages, 5)).map((message) => mine.partiesOf(message))).toEqual([
    { peer: "bob", mine: false },
    { peer: "bob", mine: true },
    { peer: "mallory", mine: false },
    { peer: "ann", mine: true },
    { peer: "", mine: false },
  ]);
});
