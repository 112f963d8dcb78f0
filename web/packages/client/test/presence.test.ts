import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Presence, presence } from "../src/presence.js";
import { open, type Peer } from "./script.js";

const ch = "presence:chat:a";
/** Tells that a session is there, of this user and with this state, or that it is gone. */
const is = (peer: Peer, session: string, off: number, user: string, state: unknown = null) =>
  peer.key(session, off, { user, state }, ch);
const gone = (peer: Peer, session: string, off: number) => peer.key(session, off, undefined, ch);

/** A roster of ann, twice, and bob. */
async function watched(options: Parameters<Presence["watch"]>[0] = {}) {
  const setting = await open();
  const roster = presence(setting.es, "chat:a").watch(options);
  const { peer } = setting;
  expect((await peer.confirm()).body).toEqual({ ch });
  is(peer, "s1", 1, "ann", "desk");
  is(peer, "s2", 2, "bob");
  is(peer, "s3", 3, "ann", "phone");
  peer.synced(3, ch);
  await roster.synced();
  const heard: string[] = [];
  for (const type of ["join", "update", "leave"] as const)
    roster.on(type, ({ session, state }) => heard.push(`${type} ${session} ${state}`));
  return { ...setting, roster, heard };
}

const names = (roster: { users: readonly { id: string }[] }) => roster.users.map(({ id }) => id);

describe("a roster", () => {
  test("knows the sessions and the users", async () => {
    const { roster } = await watched();
    expect(roster.count).toBe(3);
    expect(roster.here.get("s3")).toEqual({
      session: "s3",
      user: "ann",
      state: "phone",
      since: 1_700_000_000_003,
    });
    expect(roster.users).toMatchObject([
      { id: "ann", state: "phone", members: [{ session: "s1" }, { session: "s3" }] },
      { id: "bob", members: [{ session: "s2" }] },
    ]);
  });

  test("tells who joins, says another state, and leaves", async () => {
    const { peer, roster, heard } = await watched();
    is(peer, "s4", 4, "cyd", "new");
    is(peer, "s4", 5, "cyd", "newer");
    gone(peer, "s4", 6);
    await peer.settled();
    expect(heard).toEqual(["join s4 new", "update s4 newer", "leave s4 newer"]);
    expect(roster.count).toBe(3);
  });

  test("shares what is known with a second one", async () => {
    const { es } = await watched();
    const second = presence(es, "chat:a").watch();
    expect(second.count).toBe(3);
    const told = await new Promise<readonly { id: string }[]>((resolve) => second.on("users", resolve));
    expect(told.map(({ id }) => id)).toEqual(["ann", "bob"]);
  });

  test("takes anonymous sessions one by one, or as the application says", async () => {
    const plain = await watched();
    is(plain.peer, "s4", 4, "");
    is(plain.peer, "s5", 5, "");
    await plain.peer.settled();
    expect(names(plain.roster)).toEqual(["ann", "bob", "s4", "s5"]);
    const named = await watched({ userOf: ({ user, state }) => user || String(state) });
    is(named.peer, "s4", 4, "", "x");
    is(named.peer, "s5", 5, "", "x");
    is(named.peer, "s6", 6, "", "y");
    await named.peer.settled();
    expect(names(named.roster)).toEqual(["ann", "bob", "x", "y"]);
    // One who takes another name is not there twice.
    is(named.peer, "s6", 7, "", "z");
    await named.peer.settled();
    expect(names(named.roster)).toEqual(["ann", "bob", "x", "z"]);
  });

  test("keeps users for a while who may come back, without a flicker", async () => {
    const { peer, roster } = await watched({ linger: 40 });
    const seen = new Set<string>();
    roster.on("users", (users) => seen.add(users.map(({ id }) => id).join()));
    gone(peer, "s2", 4);
    is(peer, "s4", 5, "bob");
    await peer.settled();
    expect(roster.here.has("s2")).toBe(false);
    gone(peer, "s4", 6);
    await expect.poll(() => names(roster)).toEqual(["ann"]);
    expect([...seen]).toEqual(["ann,bob", "ann"]);
  });

  test("forgets at once where nobody lingers", async () => {
    const { peer, roster } = await watched({ linger: 0 });
    gone(peer, "s2", 4);
    await peer.settled();
    expect(names(roster)).toEqual(["ann"]);
  });

  test("survives a restart of the server: users stay, and sessions are told once all are known", async () => {
    const { peer, roster, heard } = await watched();
    const seen = new Set<string>();
    roster.on("users", (users) => seen.add(users.map(({ id }) => id).join()));
    peer.say({ reset: { ch, pos: "q0", why: "epoch" } });
    is(peer, "n1", 1, "ann");
    peer.synced(1, ch);
    await peer.settled();
    expect(heard).toEqual(["join n1 null", "leave s1 desk", "leave s2 null", "leave s3 phone"]);
    is(peer, "n2", 2, "bob");
    await peer.settled();
    expect([...roster.here.keys()]).toEqual(["n1", "n2"]);
    expect([...seen]).toEqual(["ann,bob"]);
  });

  test("that was closed has no timers, and tells nothing more", async () => {
    const { peer, roster, heard } = await watched();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const before = vi.getTimerCount();
    gone(peer, "s2", 4);
    await peer.settled();
    expect(vi.getTimerCount()).toBe(before + 1);
    roster.close();
    await peer.want("unsub");
    expect(vi.getTimerCount()).toBe(before);
    expect(heard).toEqual(["leave s2 null"]);
    await expect(roster.synced()).rejects.toMatchObject({ name: "closed" });
  });

  test("tells why it ended", async () => {
    const { es, peer } = await open();
    const roster = presence(es, "chat:a").watch();
    const why = new Promise((resolve) => roster.on("closed", resolve));
    peer.refuse(await peer.want("sub"), 103, "forbidden");
    expect(await why).toMatchObject({ name: "forbidden" });
  });

  test("reads bytes, and passes over what is no presence", async () => {
    const { peer, roster } = await watched();
    peer.key("s4", 4, { user: "cyd", b64: "AAEC/w==" }, ch);
    peer.key("s5", 5, 17, ch);
    await peer.settled();
    expect(roster.here.get("s4")?.state).toEqual(new Uint8Array([0, 1, 2, 255]));
    expect(roster.here.has("s5")).toBe(false);
  });
});

describe("joining", () => {
  test("is said again on each new link, with the latest state", async () => {
    const { server, es, peer } = await open();
    const lobby = presence(es, "chat:a");
    const joined = Promise.all([lobby.join("here"), lobby.join("busy")]);
    expect((await peer.answered("join", 1)).body).toEqual({ ch: "chat:a", data: "here" });
    await peer.answered("join", 2);
    await joined;
    let previous = peer;
    for (const session of ["s1", "s2"]) {
      previous.cut();
      const next = await server.peer();
      await next.greet({ session });
      const again = await next.want("join");
      expect(again.body).toEqual({ ch: "chat:a", data: "busy" });
      next.answer(again, "published", { ch, dup: true });
      await next.settled();
      previous = next;
    }
  });

  test("that was not answered is said once on the next link", async () => {
    const { server, es, peer } = await open();
    const joined = presence(es, "chat:a").join(1);
    await peer.want("join");
    peer.cut();
    const next = await server.peer();
    await next.greet();
    await next.answered("join", 1);
    await joined;
    await next.settled();
  });

  test("is over with leaving, in the order of the calls", async () => {
    const { server, es, peer } = await open();
    const lobby = presence(es, "chat:a");
    const both = Promise.all([lobby.join(1), lobby.leave()]);
    await peer.answered("join", 1);
    await peer.answered("leave", 2);
    await both;
    peer.cut();
    const next = await server.peer();
    await next.greet({ session: "s2" });
    await next.settled();
  });

  test("that is refused leaves what was said before", async () => {
    const { server, es, peer } = await open();
    const lobby = presence(es, "chat:a");
    const joined = lobby.join("fine");
    await peer.answered("join", 1);
    await joined;
    const refused = lobby.join("x");
    peer.refuse(await peer.want("join"), 111, "rejected");
    await expect(refused).rejects.toMatchObject({ name: "rejected" });
    peer.cut();
    const next = await server.peer();
    await next.greet();
    const errors: string[] = [];
    es.on("error", ({ name }) => errors.push(name));
    const again = await next.want("join");
    expect(again.body.data).toBe("fine");
    next.refuse(again, 103, "forbidden");
    await expect.poll(() => errors).toEqual(["forbidden"]);
  });
});
