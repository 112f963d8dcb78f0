import { describe, expect, onTestFinished, test, vi } from "vitest";
import { client, numbers, open, reached, serve } from "./script.js";

const full = { name: "queue_full" };

describe("before the connection is open", () => {
  test("publishes wait and are sent in order", async () => {
    const server = await serve();
    const log = client(server).channel<number>("log:a");
    const receipts = numbers(1, 5).map((n) => log.publish(n));
    const peer = await server.peer();
    await peer.greet();
    for (let n = 1; n <= 5; n++) expect((await peer.commit(n)).body.data).toBe(n);
    expect((await Promise.all(receipts)).map((r) => r.offset)).toEqual(numbers(1, 5));
  });

  test("subscriptions are named before them, so that a subscriber sees its own", async () => {
    const server = await serve();
    const es = client(server);
    const receipt = es.channel("log:a").publish(1);
    es.channel("log:a").subscribe();
    const peer = await server.peer();
    await peer.greet();
    await peer.want("sub");
    await peer.commit(1);
    await receipt;
  });

  test("no more wait than the queue takes, in number", async () => {
    const es = client(await serve(), { publishQueue: { count: 2 } });
    const log = es.channel<number>("log:a");
    const receipts = [log.publish(1), log.publish(2)];
    await expect(log.publish(3)).rejects.toMatchObject({ code: 2, ...full });
    await es.close();
    await expect(Promise.all(receipts)).rejects.toMatchObject({ name: "closed" });
  });

  test("and in bytes", async () => {
    const es = client(await serve(), { publishQueue: { bytes: 1_000 } });
    const log = es.channel("log:a");
    const first = log.publish("é".repeat(300));
    await expect(log.publish("é".repeat(300))).rejects.toMatchObject(full);
    const small = log.publish("x");
    await es.close();
    for (const receipt of [first, small]) await expect(receipt).rejects.toMatchObject({ name: "closed" });
  });

  test("an answer makes room", async () => {
    const { es, peer } = await open({ publishQueue: { count: 1 } });
    const log = es.channel("log:a");
    for (let n = 1; n <= 3; n++) {
      const receipt = log.publish(n);
      await expect(log.publish(n)).rejects.toMatchObject(full);
      await peer.commit(n);
      await receipt;
    }
  });
});

describe("what is published", () => {
  test.each([
    ["undefined", undefined, {}],
    ["null", null, { data: null }],
    ["text", "a\u2028\ud83d\ude00", { data: "a\u2028😀" }],
    ["a nested value", { a: [1, { b: true }] }, { data: { a: [1, { b: true }] } }],
    ["bytes", new Uint8Array([0, 1, 2, 255]), { b64: "AAEC/w==" }],
    ["no bytes", new Uint8Array(), { b64: "" }],
  ])("%s", async (_, value, body) => {
    const { es, peer } = await open();
    void es.channel("log:a").publish(value, { idem: "k" });
    expect((await peer.commit(1)).body).toEqual({ ch: "log:a", idem: "k", ...body });
  });

  test("what is no JSON is refused at once", async () => {
    const { es, peer } = await open();
    const circle: { self?: object } = {};
    circle.self = circle;
    await expect(es.channel("log:a").publish(circle)).rejects.toThrow(TypeError);
    await expect(es.channel("log:a").publish(1n)).rejects.toThrow(TypeError);
    expect(peer.unread).toBe(0);
  });

  test("what is larger than a frame is refused at once, and what just fits is sent", async () => {
    const { es, peer } = await open();
    const log = es.channel("log:a");
    await expect(log.publish("x".repeat(65_536))).rejects.toMatchObject({ code: 104, name: "too_large" });
    await expect(log.publish("é".repeat(32_768))).rejects.toMatchObject({ code: 104 });
    const receipt = log.publish("x".repeat(65_400));
    expect(Buffer.byteLength((await peer.commit(1)).text)).toBeLessThanOrEqual(65_536);
    await receipt;
  });

  test("each call has an id of its own", async () => {
    const { es, peer } = await open();
    for (let n = 1; n <= 3; n++) void es.channel("log:a").publish("same");
    const keys = new Set<string>();
    for (let n = 1; n <= 3; n++) keys.add((await peer.commit(n)).body.idem);
    expect(keys.size).toBe(3);
  });

  test("a page without TLS has no randomUUID", async () => {
    vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
    onTestFinished(() => void vi.unstubAllGlobals());
    const { es, peer } = await open();
    void es.channel("log:a").publish(1);
    expect((await peer.commit(1)).body.idem).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("across cuts", () => {
  test("order is kept, and what was answered is not sent again", async () => {
    const { server, es, peer } = await open();
    const log = es.channel<number>("log:a");
    const receipts = numbers(1, 6).map((n) => log.publish(n));
    const keys: string[] = [];
    for (let n = 1; n <= 2; n++) keys.push((await peer.commit(n)).body.idem);
    await Promise.all(receipts.slice(0, 2));
    peer.cut();
    const next = await server.peer();
    await next.greet();
    receipts.push(log.publish(7));
    for (let n = 3; n <= 7; n++) {
      const pub = await next.commit(n);
      expect(pub.body.data).toBe(n);
      keys.push(pub.body.idem);
    }
    expect((await Promise.all(receipts)).map((r) => r.offset)).toEqual(numbers(1, 7));
    expect(new Set(keys).size).toBe(7);
  });

  test("what may be committed is not sent again once the server may have forgotten its id", async () => {
    const { server, es, peer } = await open({ publishRetry: 30, backoff: { min: 60, max: 60 } });
    const log = es.channel<string>("log:a");
    const sent = log.publish("sent");
    await peer.want("pub");
    peer.cut();
    await reached(es, "waiting");
    const unsent = log.publish("unsent");
    const next = await server.peer();
    await next.greet();
    await expect(sent).rejects.toMatchObject({ code: 3, name: "outcome_unknown" });
    expect((await next.commit(1)).body.data).toBe("unsent");
    await unsent;
  });
});

describe("refused", () => {
  test("for good, it rejects with the server's error and the others go on", async () => {
    const { es, peer } = await open();
    const log = es.channel<number>("log:a");
    const [first, second] = [log.publish(1), log.publish(2)];
    peer.answer(await peer.want("pub"), "error", { code: 111, name: "rejected", reason: "be polite" });
    await peer.commit(1);
    await expect(first).rejects.toMatchObject({
      code: 111,
      name: "rejected",
      reason: "be polite",
      message: "be polite",
    });
    expect((await second)?.offset).toBe(1);
  });

  test("for a while, it is sent again after the time that the server names, and later ones wait", async () => {
    const { es, peer } = await open();
    const log = es.channel<number>("log:a");
    const first = log.publish(1);
    const before = Date.now();
    const pub = await peer.want("pub");
    peer.answer(pub, "error", { code: 301, name: "unavailable", reason: "", retry_ms: 100 });
    await peer.settled();
    const second = log.publish(2);
    const again = await peer.commit(1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(99);
    expect(again.body).toEqual(pub.body);
    expect((await peer.commit(2)).body.data).toBe(2);
    await Promise.all([first, second]);
  });

  test("for a while and again, it goes on with a growing delay", async () => {
    const { es, peer } = await open();
    const receipt = es.channel("log:a").publish(1);
    for (let i = 0; i < 5; i++) {
      peer.answer(await peer.want("pub"), "error", { code: 302, name: "disk_full", reason: "" });
    }
    await peer.commit(1);
    expect((await receipt).offset).toBe(1);
  });

  test("with an answer of another kind it fails", async () => {
    const { es, peer } = await open();
    const receipt = es.channel("log:a").publish(1);
    peer.answer(await peer.want("pub"), "page", {});
    await expect(receipt).rejects.toMatchObject({ name: "bad_use" });
  });

  test("an answer that is repeated changes nothing", async () => {
    const { es, peer } = await open();
    const receipt = es.channel("log:a").publish(1);
    const pub = await peer.commit(1);
    peer.answer(pub, "published", { ch: "log:a", off: 9, pos: "p9" });
    expect((await receipt).offset).toBe(1);
  });
});

describe("a signal", () => {
  test("rejects with its reason, and what was not sent is not sent", async () => {
    const server = await serve();
    const log = client(server).channel<number>("log:a");
    const abort = new AbortController();
    const first = log.publish(1, { signal: abort.signal });
    const second = log.publish(2);
    abort.abort(new Error("changed my mind"));
    await expect(first).rejects.toThrow("changed my mind");
    const peer = await server.peer();
    await peer.greet();
    expect((await peer.commit(1)).body.data).toBe(2);
    await second;
  });

  test("that has aborted already sends nothing", async () => {
    const { es, peer } = await open();
    await expect(es.channel("log:a").publish(1, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
    await es.close();
    expect(peer.unread).toBe(0);
  });

  test("after sending, ignores the answer", async () => {
    const { es, peer } = await open();
    const abort = new AbortController();
    const receipt = es.channel("log:a").publish(1, { signal: abort.signal });
    const pub = await peer.want("pub");
    abort.abort();
    await expect(receipt).rejects.toThrow("aborted");
    peer.answer(pub, "published", { ch: "log:a" });
    void es.channel("log:a").publish(2);
    await peer.commit(2);
  });
});

describe("closing", () => {
  test("waits for what was sent, and accepts nothing new", async () => {
    const { es, peer } = await open({ closeTimeout: 5_000 });
    const log = es.channel<number>("log:a");
    const sent = log.publish(1);
    const closed = es.close();
    expect(es.state).toEqual({ name: "closing" });
    await expect(log.publish(2)).rejects.toMatchObject({ code: 1, name: "closed" });
    await expect(log.history()).rejects.toMatchObject({ code: 1, name: "closed" });
    await peer.commit(1);
    expect((await sent).offset).toBe(1);
    expect(await peer.ended).toBe(1000);
    await closed;
    expect(es.state.name).toBe("closed");
  });

  test("does not wait long for an answer that does not come", async () => {
    const { es } = await open({ closeTimeout: 20 });
    const sent = es.channel("log:a").publish(1);
    await Promise.all([expect(sent).rejects.toMatchObject({ name: "closed" }), es.close()]);
  });

  test("without a connection rejects what waits at once", async () => {
    const es = client(await serve());
    const waiting = es.channel("log:a").publish(1);
    await Promise.all([expect(waiting).rejects.toMatchObject({ name: "closed" }), es.close()]);
  });

  test("does not come back when the link ends meanwhile", async () => {
    const { server, es, peer } = await open({ closeTimeout: 5_000 });
    const sent = es.channel("log:a").publish(1);
    const closed = es.close();
    await peer.want("pub");
    peer.cut();
    await expect(sent).rejects.toMatchObject({ name: "closed" });
    await closed;
    expect(server.count).toBe(1);
  });

  test("twice is once", async () => {
    const { es } = await open();
    expect(es.close()).toBe(es.close());
    await es.close();
    await expect(es.channel("log:a").publish(1)).rejects.toMatchObject({ name: "closed" });
  });

  test("by a signal", async () => {
    const server = await serve();
    const abort = new AbortController();
    const es = client(server, { signal: abort.signal });
    const peer = await server.peer();
    await peer.greet();
    await reached(es, "open");
    abort.abort();
    await reached(es, "closed");
  });

  test("by a signal that has aborted already", async () => {
    const server = await serve();
    const es = client(server, { signal: AbortSignal.abort() });
    await reached(es, "closed");
    expect(server.count).toBe(0);
  });
});

describe("history", () => {
  test("reads pages in both directions", async () => {
    const { es, peer } = await open();
    const log = es.channel<number>("log:a");
    const newest = log.history({ limit: 3 });
    expect((await peer.page(1, 10)).body).toEqual({ ch: "log:a", limit: 3 });
    const { publications, ...rest } = await newest;
    expect(publications.map((p) => p.data)).toEqual([8, 9, 10]);
    expect(publications[0]?.channel).toBe("log:a");
    expect(rest).toEqual({ position: "p10", complete: true, more: true });
    const older = log.history({ before: publications[0]?.position ?? "" });
    expect((await peer.page(1, 10)).body).toEqual({ ch: "log:a", before: "p8" });
    expect((await older).publications.map((p) => p.data)).toEqual(numbers(1, 7));
    const later = log.history({ since: "p8" });
    await peer.page(1, 10);
    expect((await later).publications.map((p) => p.data)).toEqual([9, 10]);
  });

  test("waits for a connection and is asked again after a cut", async () => {
    const { server, es, peer } = await open();
    const page = es.channel("log:a").history();
    await peer.want("history");
    peer.cut();
    const next = await server.peer();
    await next.greet();
    await next.page(1, 1);
    expect((await page).publications).toHaveLength(1);
  });

  test("rejects with the server's error, or the signal's reason", async () => {
    const { es, peer } = await open();
    const abort = new AbortController();
    const refused = es.channel("live:a").history();
    const aborted = es.channel("log:a").history({ signal: abort.signal });
    peer.answer(await peer.want("history"), "error", {
      code: 109,
      name: "no_history",
      reason: "it keeps nothing",
    });
    await expect(refused).rejects.toMatchObject({ code: 109, name: "no_history" });
    abort.abort(new Error("gone"));
    await expect(aborted).rejects.toThrow("gone");
  });
});

test("an error that answers nothing is an event", async () => {
  const { es, peer } = await open();
  const heard = new Promise((resolve) => es.on("error", resolve));
  peer.say({ error: { code: 104, name: "too_large", reason: "the frame is over its limit" } });
  expect(await heard).toMatchObject({ code: 104, name: "too_large" });
});
