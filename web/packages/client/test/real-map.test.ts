import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { call } from "../src/call.js";
import { map } from "../src/map.js";
import { presence } from "../src/presence.js";
import { typing } from "../src/typing.js";
import { buildProgram, RealServer } from "./real.js";
import { client, numbers, reached } from "./script.js";

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

const restart = async (server: RealServer) => {
  await server.stop("SIGKILL");
  await server.start();
};

describe("maps on the real server", { timeout: 60_000 }, () => {
  test("what one sets another sees, and versions are conditions", async () => {
    const server = await start();
    const [ann, bob] = [map<number>(client(server), "map:a"), map<number>(client(server), "map:a")];
    const { offset } = await ann.set("x", 1);
    await ann.set("y", 2, { if: 0 });
    const sub = bob.subscribe();
    await sub.synced();
    expect([...sub.entries].map(([key, { data }]) => [key, data])).toEqual([
      ["x", 1],
      ["y", 2],
    ]);
    expect(sub.entries.get("x")?.version).toBe(offset);
    await expect(bob.set("x", 3, { if: offset + 9 })).rejects.toMatchObject({ name: "version_mismatch" });
    await expect(bob.delete("z", { if: 5 })).rejects.toMatchObject({ name: "version_mismatch" });
    await bob.delete("x", { if: offset });
    await expect.poll(() => [...sub.entries.keys()]).toEqual(["y"]);
    await ann.set("bytes", new Uint8Array([0, 255]) as never, { ttl: 50 });
    await expect.poll(() => sub.entries.get("bytes")?.data).toEqual(new Uint8Array([0, 255]));
    await expect.poll(() => sub.entries.has("bytes")).toBe(false);
  });

  test("a counter counts each time once, whoever counts, through kill -9", async () => {
    const server = await start();
    const counters = numbers(1, 4).map(() => map<number>(client(server), "map:a").subscribe());
    const counting = Promise.all(
      counters.map(async (sub) => {
        for (let i = 0; i < 25; i++) await sub.update("n", (n = 0) => n + 1);
      }),
    );
    const [first] = counters;
    for (const at of [20, 60]) {
      await expect.poll(() => first?.entries.get("n")?.data ?? 0).toBeGreaterThan(at);
      await restart(server);
    }
    await counting;
    for (const sub of counters) await expect.poll(() => sub.entries.get("n")?.data).toBe(100);
  });

  test("a copy comes to what is there, through kill -9", async () => {
    const server = await start();
    const sub = map<number>(client(server), "map:a").subscribe();
    const seen = new Map<string, number>();
    sub.on("change", ({ key, data, version, gone }) => {
      expect(version).toBeGreaterThan(seen.get(`${key}@`) ?? 0);
      seen.set(`${key}@`, version);
      if (gone) seen.delete(key);
      else seen.set(key, data);
    });
    const writer = map<number>(client(server), "map:a");
    const writes: Promise<unknown>[] = [];
    for (let n = 1; n <= 400; n++) {
      writes.push(n % 7 ? writer.set(`k${n % 50}`, n) : writer.delete(`k${(n * 3) % 50}`));
      if (n % 100 === 0) await restart(server);
    }
    await Promise.all(writes);
    const fresh = map<number>(client(server), "map:a").subscribe();
    await fresh.synced();
    const content = (of: ReadonlyMap<string, unknown>) => JSON.stringify([...of].sort());
    await expect.poll(() => content(sub.entries)).toBe(content(fresh.entries));
    expect(fresh.entries.size).toBeGreaterThan(10);
    for (const [key, { data }] of fresh.entries) expect(seen.get(key)).toBe(data);
  });

  test("keys of one's own and presence go with the client, and come back with it", async () => {
    const server = await start();
    const [ann, watcher] = [client(server), client(server)];
    await map<number>(ann, "map:a").set("ann", 1, { own: true });
    await presence(ann, "log:a").join("ann");
    const keys = map<number>(watcher, "map:a").subscribe();
    const roster = presence<string>(watcher, "log:a").watch({ linger: 0 });
    await Promise.all([keys.synced(), roster.synced()]);
    expect(keys.entries.get("ann")?.data).toBe(1);
    expect([...roster.here.values()]).toMatchObject([{ user: "", state: "ann" }]);
    const before = keys.entries.get("ann")?.version ?? 0;
    await restart(server);
    await expect.poll(() => keys.entries.get("ann")?.version ?? 0).toBeGreaterThan(before);
    await reached(ann, "open");
    const session = (await reached(ann, "open")).session;
    await expect.poll(() => [...roster.here.keys()]).toEqual([session]);
    await ann.close();
    await expect.poll(() => [keys.entries.size, roster.count]).toEqual([0, 0]);
  });

  test("users stay through a restart of the server", async () => {
    const server = await start();
    const people = ["ann", "bob", "cyd"];
    for (const name of people) await presence(client(server), "log:a").join(name);
    const roster = presence<string>(client(server), "log:a").watch({ userOf: ({ state }) => state });
    await roster.synced();
    const seen = new Set<string>();
    roster.on("users", (users) => seen.add(users.map(({ id }) => id).join()));
    const sessions = [...roster.here.keys()];
    await restart(server);
    await expect.poll(() => roster.count).toBe(3);
    await expect.poll(() => [...roster.here.keys()].filter((id) => sessions.includes(id))).toEqual([]);
    expect([...seen]).toEqual(["ann,bob,cyd"]);
  });

  test("who types is seen until they stop, or are silent", async () => {
    const server = await start();
    const es = client(server);
    await reached(es, "open");
    const sub = map<string>(client(server), "map:typing").subscribe();
    const mine = typing<string>(es, "map:typing", "ann", { ttl: 300 });
    mine.touch("Ann");
    await expect.poll(() => sub.entries.get("ann")?.data).toBe("Ann");
    mine.stop();
    await expect.poll(() => sub.entries.size).toBe(0);
    mine.touch("Ann");
    await expect.poll(() => sub.entries.size).toBe(1);
    await expect.poll(() => sub.entries.size).toBe(0);
  });

  test("mistakes get the server's errors", async () => {
    const es = client(await start());
    await expect(map(es, "log:a").set("x", 1)).rejects.toMatchObject({ name: "wrong_kind" });
    await expect(map(es, "map:a").set("", 1)).rejects.toMatchObject({ name: "bad_frame" });
    await expect(presence(es, "nowhere:a").join(1)).rejects.toMatchObject({ name: "bad_channel" });
    await expect(map(es, "presence:log:a").set("x", 1)).rejects.toMatchObject({ name: "forbidden" });
    await expect(call(es, "price")).rejects.toMatchObject({ name: "no_handler" });
    await expect(call(es, "poke", 1, { to: "s" })).rejects.toMatchObject({ name: "forbidden" });
  });
});
