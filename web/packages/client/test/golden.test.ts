import { describe, expect, test } from "vitest";
import { CallError, call, handle } from "../src/call.js";
import type { Client, ResetEvent, State } from "../src/index.js";
import { map } from "../src/map.js";
import { presence } from "../src/presence.js";
import { answerWith, dataOf, type Golden, goldenCases } from "./golden.js";
import { client, open, type Peer, reached, type ScriptedServer, serve } from "./script.js";

interface Setting {
  server: ScriptedServer;
  es: Client;
  peer: Peer;
}

// biome-ignore lint/suspicious/noExplicitAny: what is in a body depends on its kind.
type Body = any;
type Scenario<Of> = (setting: Setting, body: Body, of: Of) => Promise<void>;

/** A publication as the application gets it. */
const publicationOf = (body: Body) => ({
  channel: body.channel,
  data: dataOf(body.data),
  event: body.event ?? "message",
  offset: body.offset ?? 0,
  position: body.position ?? "",
  time: body.unixMS ?? 0,
  user: body.user ?? "",
  tags: body.tags ?? {},
  ...(body.key && { key: body.key, gone: body.gone ?? false }),
});

/** Makes the client hear one frame of each kind from the server, and checks what the application gets. */
const hear: Record<string, Scenario<Golden>> = {
  async welcome(_, body, golden) {
    const server = await serve();
    const es = client(server);
    const peer = await server.peer();
    peer.say(answerWith({ ...golden, frame: withId(golden) }, (await peer.want("hello")).id));
    const { session, user = "", resumed = false, resume } = body;
    expect(await reached(es, "open")).toEqual({ name: "open", session, user, resumed });
    peer.cut();
    expect((await (await server.peer()).want("hello")).body.resume).toBe(resume);
  },
  async subscribed({ es, peer }, body, golden) {
    const sub = es.channel(body.channel).subscribe();
    peer.say(answerWith(golden, (await peer.want("sub")).id));
    await expect.poll(() => sub.position).toBe(body.position);
  },
  async unsubscribed({ es, peer }, body, golden) {
    const sub = es.channel(body.channel).subscribe();
    const request = await peer.want("sub");
    peer.answer(request, "subscribed", { ch: body.channel, pos: "p0" });
    peer.say(answerWith(golden, request.id));
    if (!body.code) return peer.settled();
    await expect(sub[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: body.code,
      reason: body.reason,
    });
  },
  async published({ es, peer }, body, golden) {
    const receipt = es.channel(body.channel).publish(1);
    peer.say(answerWith(golden, (await peer.want("pub")).id));
    const { position = "", offset = 0, duplicate = false, durability } = body;
    expect(await receipt).toEqual({ position, offset, duplicate, durability });
  },
  async page({ es, peer }, body, golden) {
    const page = es.channel(body.channel).history();
    peer.say(answerWith(golden, (await peer.want("history")).id));
    const { publications = [], position = "", complete = false, more = false, keys } = body;
    expect(await page).toStrictEqual({
      publications: publications.map(publicationOf),
      position,
      complete,
      more,
      ...(keys && { keys }),
    });
  },
  async result({ es, peer }, body, golden) {
    const result = call(es, "poke");
    peer.say(answerWith(golden, (await peer.want("call")).id));
    expect(await result).toStrictEqual(dataOf(body.data));
  },
  async call({ es, peer }, body, golden) {
    const receipt = es.channel("log:a").publish(1);
    const pub = await peer.want("pub");
    const served = new Promise((resolve) => {
      handle(es, body.method, (data, { session, user }) => resolve({ data, session, user }));
    });
    // The id is the server's: it does not answer the client's request of the same id.
    peer.say(answerWith(golden, pub.id));
    const { from: session = "", user = "" } = body;
    expect(await served).toStrictEqual({ data: dataOf(body.data), session, user });
    expect(await peer.want("result")).toMatchObject({ id: pub.id, body: { data: null } });
    peer.answer(pub, "published", { off: 1 });
    expect((await receipt).offset).toBe(1);
  },
  async refreshed({ es, peer }, _, golden) {
    const done = es.refresh();
    peer.say(answerWith(golden, (await peer.want("refresh")).id));
    await done;
  },
  async error({ es, peer }, { code, reason = "", retryAfterMS = 0 }, golden) {
    if (golden.value?.id === undefined) {
      const heard = new Promise((resolve) => es.on("error", resolve));
      peer.say(golden.frame ?? "");
      return expect(await heard).toMatchObject({ code, reason });
    }
    const receipt = es.channel("log:a").publish(1);
    const before = Date.now();
    peer.say(answerWith(golden, (await peer.want("pub")).id));
    if (code < 300) return expect(receipt).rejects.toMatchObject({ code, reason });
    await peer.commit(1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(retryAfterMS - 1);
  },
  async pub(setting, body, golden) {
    const heard = await nextEvent(setting, body.channel, "publication", golden);
    expect(heard).toStrictEqual(publicationOf(body));
  },
  async reset(setting, { channel, position, why }, golden) {
    expect(await nextEvent<ResetEvent>(setting, channel, "reset", golden)).toEqual({
      channel,
      position,
      why,
    });
  },
  async missed(setting, { channel, count, position }, golden) {
    expect(await nextEvent(setting, channel, "missed", golden)).toEqual({ channel, count, position });
  },
  async moved({ es, peer }, body, golden) {
    const sub = es.channel(body.channel).subscribe({ echo: false });
    await peer.confirm();
    peer.say(golden.frame ?? "");
    await expect.poll(() => sub.position).toBe(body.position);
  },
  async synced({ es, peer, server }, body, golden) {
    const sub = map(es, body.channel).subscribe();
    await peer.confirm();
    peer.say(golden.frame ?? "");
    await sub.synced();
    peer.cut();
    const next = await server.peer();
    await next.greet();
    expect((await next.want("sub")).body.since).toBe(body.position);
  },
  async ping({ peer }, _, golden) {
    peer.say(golden.frame ?? "");
    expect((await peer.want("pong")).id).toBe(golden.value?.id);
  },
  async pong({ peer }, _, golden) {
    peer.say(golden.frame ?? "");
    await peer.settled();
  },
  async bye({ es, peer, server }, { code, reason = "", delayMS = 0 }, golden) {
    const waiting = new Promise<State>((resolve) => es.on("state", resolve));
    const before = Date.now();
    peer.say(golden.frame ?? "");
    peer.close(code);
    const state = await waiting;
    expect(state).toMatchObject({ name: "waiting", error: { code, reason } });
    expect("until" in state && state.until - before).toBeGreaterThanOrEqual(delayMS);
    if (!delayMS) await server.peer();
  },
};

/** A frame that answers must have an id here, though the golden one has none. */
const withId = ({ frame = "", value }: Golden) => (value?.id ? frame : frame.replace("{", '{"id":1,'));

/** What a listener to a subscription of `channel` hears when the server says the golden frame. */
async function nextEvent<T>(
  { es, peer }: Setting,
  channel: string,
  type: "publication" | "reset" | "missed",
  golden: Golden,
): Promise<T> {
  const sub = es.channel(channel).subscribe();
  await peer.confirm();
  sub.on("publication", () => {});
  const heard = new Promise<unknown>((resolve) => sub.on(type, resolve));
  peer.say(golden.frame ?? "");
  return (await heard) as T;
}

/** What was said, without the idempotency id that the client made where the golden frame has none. */
function ownIdem({ idem, ...rest }: Body, wanted: string | undefined): Body {
  expect(idem).toMatch(wanted ?? /^[0-9a-f]{32}$/);
  return wanted ? { ...rest, idem } : rest;
}

/** Makes the client say a frame that means the same as the golden one; undefined where it never says such a frame. */
const say: Record<string, (setting: Setting, body: Body, golden: Golden) => Promise<unknown>> = {
  async hello(_, { token, heartbeatMS }) {
    if (!token || !heartbeatMS) return undefined;
    const server = await serve();
    client(server, { token, heartbeat: heartbeatMS });
    const peer = await server.peer();
    await peer.greet();
    peer.cut();
    return (await (await server.peer()).want("hello")).body;
  },
  async sub({ es, peer }, { channel, since, last, noEcho, everyMS }) {
    if (everyMS) {
      // A client that follows a map starts with all of it, and wants its own changes in their places.
      if (since || noEcho) return undefined;
      map(es, channel).subscribe({ every: everyMS });
      return (await peer.want("sub")).body;
    }
    if (since && last) return undefined;
    es.channel(channel).subscribe({
      ...(since && { since }),
      ...(last && { last }),
      ...(noEcho && { echo: false }),
    });
    return (await peer.want("sub")).body;
  },
  async unsub({ es, peer }, { channel }, { value }) {
    if (value?.id) return undefined;
    es.channel(channel).subscribe().close();
    await peer.want("sub");
    return (await peer.want("unsub")).body;
  },
  async pub({ es, peer }, { channel, idem, event, tags, data }) {
    if (!idem) return undefined;
    const receipt = es
      .channel(channel)
      .publish(dataOf(data), { idem, ...(event && { event }), ...(tags && { tags }) });
    const said = await peer.commit(1);
    await receipt;
    return said.body;
  },
  async history({ es, peer }, { channel, since, before, limit }) {
    const page = es
      .channel(channel)
      .history({ ...(since && { since }), ...(before && { before }), ...(limit && { limit }) });
    const said = await peer.page(1, 0);
    await page;
    return said.body;
  },
  async set({ es, peer }, { channel, key, data, if: version, ttlMS: ttl, own, idem }) {
    // JavaScript has no such versions.
    if (version > Number.MAX_SAFE_INTEGER) return undefined;
    const receipt = map(es, channel).set(key, dataOf(data), { if: version, ttl, own, idem });
    const said = await peer.answered("set", 1);
    await receipt;
    return ownIdem(said.body, idem);
  },
  async del({ es, peer }, { channel, key, if: version, idem }) {
    if (version > Number.MAX_SAFE_INTEGER) return undefined;
    const receipt = map(es, channel).delete(key, { if: version, idem });
    const said = await peer.answered("del", 1);
    await receipt;
    return ownIdem(said.body, idem);
  },
  async join({ es, peer }, { channel, data }) {
    const joined = presence(es, channel).join(dataOf(data));
    const said = await peer.answered("join", 1);
    await joined;
    return said.body;
  },
  async leave({ es, peer }, { channel }) {
    const left = presence(es, channel).leave();
    const said = await peer.answered("leave", 1);
    await left;
    return said.body;
  },
  async call({ es, peer }, { to, method, data, timeoutMS, idem }) {
    const result = call(es, method, dataOf(data), { to, timeout: timeoutMS, idem });
    const said = await peer.want("call");
    peer.answer(said, "result", { data: 1 });
    expect(await result).toBe(1);
    const { timeout_ms, ...rest } = ownIdem(said.body, idem);
    expect(timeout_ms).toBe(timeoutMS ?? 10_000);
    return timeoutMS ? { ...rest, timeout_ms } : rest;
  },
  async result({ es, peer }, { data, error }, { value }) {
    handle(es, "poke", async () => {
      if (error) throw new CallError(error);
      return dataOf(data);
    });
    peer.say({ id: value?.id, call: { method: "poke" } });
    const said = await peer.want("result");
    expect(said.id).toBe(value?.id);
    return said.body;
  },
  async refresh(_, { token }) {
    const { es, peer } = await open({ token });
    const done = es.refresh();
    const said = await peer.want("refresh");
    peer.answer(said, "refreshed");
    await done;
    return said.body;
  },
  async ping(_, __, { value }) {
    if (value?.id) return undefined;
    const { peer } = await open({ heartbeat: 20 });
    return (await peer.want("ping")).body;
  },
  async pong({ peer }, _, { value }) {
    peer.say({ id: value?.id, ping: {} });
    const said = await peer.want("pong");
    expect(said.id).toBe(value?.id);
    return said.body;
  },
};

const cases = goldenCases();
const title = (golden: Golden) => [`${golden.file}: ${golden.name}`, golden] as const;
const fromServer = cases.filter((each) => each.direction === "server");

test("there are golden frames of every kind that the client knows", () => {
  const kinds = (direction: string) =>
    new Set(cases.filter((c) => c.direction === direction && c.canonical).map((c) => c.value?.kind));
  expect([...kinds("server")].sort()).toEqual(Object.keys(hear).sort());
  expect([...kinds("client")].sort()).toEqual(Object.keys(say).sort());
});

describe("hears what the server says", () => {
  test.each(fromServer.filter((each) => each.value).map(title))("%s", async (_, golden) => {
    const scenario = hear[golden.value?.kind ?? ""];
    if (!scenario) throw new Error(`the client does not know frames of the kind ${golden.value?.kind}`);
    await scenario(await open({ token: "t" }), golden.value?.body, golden);
  });
});

describe("ignores", () => {
  test.each(fromServer.filter((each) => each.ignored).map(title))("%s", async (_, golden) => {
    const { peer } = await open();
    peer.say(golden.frame ?? "");
    await peer.settled();
  });
});

describe("survives", () => {
  test.each(fromServer.filter((each) => each.error).map(title))("%s", async (_, golden) => {
    const { server, es, peer } = await open();
    peer.say(golden.frame ?? "");
    const receipt = es.channel("log:a").publish("still here");
    // The client either read on or came back by itself; in both cases the publish is answered.
    const answered = await Promise.race([
      peer.want("pub").then((pub) => peer.answer(pub, "published", { off: 1 })),
      server.peer().then(async (next) => {
        await next.greet();
        await next.commit(1);
      }),
    ]).then(() => receipt);
    expect(answered.offset).toBe(1);
  });
});

describe("says what the server understands", () => {
  const canonical = cases.filter((each) => each.direction === "client" && each.canonical);
  test.each(canonical.map(title))("%s", async (_, golden) => {
    const scenario = say[golden.value?.kind ?? ""];
    if (!scenario) throw new Error(`the client does not know frames of the kind ${golden.value?.kind}`);
    const said = await scenario(await open(), golden.value?.body, golden);
    if (said === undefined) return;
    const kind = golden.value?.kind ?? "";
    const wanted = JSON.parse(golden.frame ?? "")[kind];
    if (kind === "hello") expect(Object.keys(said as object).sort()).toEqual(Object.keys(wanted).sort());
    else expect(said).toEqual(wanted);
  });
});
