import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { connect, type State } from "../src/index.js";
import { client, open, reached, serve } from "./script.js";

describe("the address", () => {
  test.each([
    ["http://h", "ws://h/live/websocket"],
    ["https://h/", "wss://h/live/websocket"],
    ["https://h:8443/mount", "wss://h:8443/mount/websocket"],
    ["https://h/a/b/", "wss://h/a/b/websocket"],
    ["ws://h", "ws://h/live/websocket"],
    ["WSS://h?x=1", "wss://h/live/websocket?x=1"],
    ["http://[::1]:80/#top", "ws://[::1]:80/live/websocket"],
    [new URL("http://h/m"), "ws://h/m/websocket"],
  ])("%s", async (base, expected) => {
    const { es, sockets } = offline(base);
    await expect.poll(() => sockets[0]?.url).toBe(expected);
    await es.close();
  });

  test.each(["", "h", "ftp://h", "http://", "http:// h", "/live"])("refuses %j", (base) => {
    expect(() => connect(base, { webSocket: WebSocket })).toThrow(TypeError);
  });

  test("without a WebSocket, connect says what to do", () => {
    vi.stubGlobal("WebSocket", undefined);
    onTestFinished(() => void vi.unstubAllGlobals());
    expect(() => connect("http://h")).toThrow("pass one as the option webSocket");
  });
});

interface FakeSocket {
  url: string;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** A client whose every attempt fails at once with `code`. */
function offline(base: string | URL = "http://h", options: object = {}, code = 1006) {
  const sockets: FakeSocket[] = [];
  class Failing {
    onopen = null;
    onmessage = null;
    onerror = null;
    onclose: FakeSocket["onclose"] = null;
    constructor(public url: string) {
      sockets.push(this);
      setTimeout(() => this.onclose?.({ code, reason: "" }));
    }
    send() {}
    close() {}
  }
  const es = connect(base, { webSocket: Failing as never, ...options });
  onTestFinished(() => es.close());
  return { es, sockets };
}

describe("states", () => {
  test("go from connecting over open and waiting to closed", async () => {
    const server = await serve();
    const es = client(server);
    const seen: State[] = [es.state];
    es.on("state", (state) => seen.push(state));
    const peer = await server.peer();
    await peer.greet({ user: "ann" });
    await reached(es, "open");
    peer.cut();
    await (await server.peer()).greet({ session: "s1", user: "ann", resumed: true });
    await reached(es, "open");
    await es.close();
    expect(seen).toEqual([
      { name: "connecting", attempt: 1 },
      { name: "open", session: "s1", user: "ann", resumed: false },
      {
        name: "waiting",
        attempt: 1,
        until: expect.any(Number),
        error: expect.objectContaining({ code: 1006, reason: expect.stringContaining("1006") }),
      },
      { name: "connecting", attempt: 2 },
      { name: "open", session: "s1", user: "ann", resumed: true },
      { name: "closing" },
      { name: "closed", code: 1, reason: "the client was closed", retry: false },
    ]);
  });

  test("a listener that throws disturbs nothing and is reported", async () => {
    const thrown = uncaught();
    const { es, peer } = await open();
    const off = es.on("state", () => {
      off();
      throw new Error("from the application");
    });
    const after = vi.fn();
    es.on("state", after);
    peer.cut();
    await reached(es, "waiting");
    expect(after).toHaveBeenCalled();
    await expect.poll(() => thrown.mock.calls[0]?.[0].message).toBe("from the application");
  });

  test("a constructor that throws is a failed attempt", async () => {
    class Forbidden {
      constructor() {
        throw new Error("mixed content");
      }
    }
    const es = connect("http://h", { webSocket: Forbidden as never });
    const { error } = await reached(es, "waiting");
    expect(error.message).toContain("mixed content");
    await es.close();
  });
});

/** Takes the place of the test runner's handler of uncaught errors until the test ends. */
function uncaught() {
  const handler = vi.fn();
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", handler);
  onTestFinished(() => {
    process.off("uncaughtException", handler);
    for (const other of others) process.on("uncaughtException", other);
  });
  return handler;
}

describe("coming back", () => {
  test("delays grow, are jittered and bounded", async () => {
    const firsts: number[] = [];
    for (let i = 0; i < 50; i++) {
      const { es } = offline("http://h", { backoff: { min: 1000, max: 20_000 } });
      firsts.push((await reached(es, "waiting")).until - Date.now());
      await es.close();
    }
    // Spread over the whole of its range, or thousands of clients would come back as one.
    expect(Math.min(...firsts)).toBeLessThan(1_900);
    expect(Math.max(...firsts)).toBeGreaterThan(3_000);
    expect(Math.max(...firsts)).toBeLessThanOrEqual(4_000);

    const { es } = offline("http://h", { backoff: { min: 1, max: 4 } });
    await expect.poll(() => attemptOf(es.state)).toBeGreaterThan(20);
  });

  const attemptOf = (state: State) => ("attempt" in state ? state.attempt : 0);

  test.each([4000, 4001, 4002, 4099, 1002, 1003, 1007, 1009])("not after close code %i", async (code) => {
    const { server, es, peer } = await open();
    peer.close(code, "why");
    expect(await reached(es, "closed")).toEqual({ name: "closed", code, reason: "why", retry: false });
    await expect(es.channel("log:a").publish(1)).rejects.toMatchObject({ code, reason: "why" });
    expect(server.count).toBe(1);
  });

  test.each([1000, 1001, 1011, 1012, 4100, 4103, 4300])("later after close code %i", async (code) => {
    const { es, peer } = await open({ backoff: { min: 60_000, max: 60_000 } });
    peer.close(code);
    const { until, error } = await reached(es, "waiting");
    expect(error.code).toBe(code);
    expect(until - Date.now()).toBeGreaterThan(50_000);
  });

  test("at once after a code from 4200, but not twice in a row", async () => {
    const { server, es, peer } = await open({ backoff: { min: 60_000, max: 60_000 } });
    peer.close(4200);
    const next = await server.peer();
    await next.greet();
    next.close(4200);
    expect((await reached(es, "waiting")).until - Date.now()).toBeGreaterThan(50_000);
  });

  test("at once again after a connection that held", async () => {
    const { server, peer } = await open({ backoff: { min: 60_000, max: 60_000 }, stableAfter: 0 });
    peer.close(4200);
    for (let i = 0; i < 3; i++) {
      const next = await server.peer();
      await next.greet();
      next.close(4200);
    }
    await server.peer();
  });

  test("failures are forgiven only after a connection that held", async () => {
    const attempts = async (stableAfter: number) => {
      const { server, es, peer } = await open({ stableAfter });
      peer.cut();
      const next = await server.peer();
      await next.greet();
      next.cut();
      return (await reached(es, "waiting")).attempt;
    };
    expect(await attempts(60_000)).toBe(2);
    expect(await attempts(0)).toBe(1);
  });

  test("not before the delay that bye names, whatever wakes it", async () => {
    const page = fakePage();
    const { server, es, peer } = await open();
    const before = Date.now();
    peer.say({ bye: { code: 4100, name: "draining", reason: "the server is about to stop", delay_ms: 300 } });
    peer.close(4100);
    const { error } = await reached(es, "waiting");
    expect(error).toMatchObject({ code: 4100, name: "draining" });
    page.dispatchEvent(new Event("online"));
    await (await server.peer()).greet();
    expect(Date.now() - before).toBeGreaterThanOrEqual(299);
  });

  test("bye counts even where the close code is lost", async () => {
    const { es, peer } = await open();
    peer.say({ bye: { code: 4002, name: "disconnected", reason: "enough" } });
    peer.cut();
    expect(await reached(es, "closed")).toMatchObject({ code: 4002, reason: "enough" });
  });

  test("a session that went on elsewhere is not taken back", async () => {
    const { server, peer } = await open();
    peer.close(4201);
    const hello = await (await server.peer()).greet();
    expect(hello.body).not.toHaveProperty("resume");
  });

  test("an unreadable frame ends the link, and nothing is thrown", async () => {
    const { server, peer } = await open();
    for (let at = peer, i = 0; i < 5; i++) {
      at.say(
        ['{"pub":', '{"pub":5}', "null", '{"pub":{"ch":"log:a","off":"1"}}', '{"page":{"pubs":{}}}'][i] ?? "",
      );
      at = await server.peer();
      await at.greet();
    }
  });

  test("frames of unknown kinds and unknown fields are ignored", async () => {
    const { es, peer, server } = await open();
    for (const frame of [
      '{"later":{}}',
      "{}",
      '{"id":99,"page":{}}',
      '{"pub":{"ch":"none:x"}}',
      '{"__proto__":{"bye":{}}}',
    ]) {
      peer.say(frame);
    }
    peer.say({ ping: { extra: 1 }, more: 2 });
    await peer.want("pong");
    expect(es.state.name).toBe("open");
    expect(server.count).toBe(1);
  });
});

describe("hello refused", () => {
  test.each([
    [100, "bad_frame"],
    [103, "forbidden"],
    [111, "rejected"],
    [201, "token_expired"],
  ])("with %i ends the client", async (code, name) => {
    const server = await serve();
    const es = client(server, { token: "fixed" });
    const peer = await server.peer();
    peer.answer(await peer.want("hello"), "error", { code, name, reason: "no" });
    expect(await reached(es, "closed")).toEqual({ name: "closed", code, reason: "no", retry: false });
  });

  test("with a code from 300 comes back after the time it names", async () => {
    const server = await serve();
    client(server);
    const peer = await server.peer();
    const before = Date.now();
    peer.answer(await peer.want("hello"), "error", {
      code: 304,
      name: "draining",
      reason: "",
      retry_ms: 150,
    });
    await (await server.peer()).greet();
    expect(Date.now() - before).toBeGreaterThanOrEqual(149);
  });
});

describe("the token callback", () => {
  const refusal = { code: 201, name: "token_expired", reason: "the token has expired" };

  test("is asked before each attempt", async () => {
    let n = 0;
    const { server, peer } = await open({ token: async () => `t${++n}` });
    peer.cut();
    expect((await (await server.peer()).greet()).body.token).toBe("t2");
  });

  test("is asked once more when hello is refused, and then that is the end", async () => {
    const server = await serve();
    let n = 0;
    const es = client(server, { token: () => `t${++n}` });
    for (const token of ["t1", "t2"]) {
      const peer = await server.peer();
      const hello = await peer.want("hello");
      expect(hello.body.token).toBe(token);
      peer.answer(hello, "error", refusal);
    }
    expect(await reached(es, "closed")).toMatchObject({ code: 201 });
    expect(n).toBe(2);
  });

  test("gives a fresh token when the server closes with 4001", async () => {
    let n = 0;
    const { server, es, peer } = await open({ token: () => `t${++n}` });
    peer.close(4001);
    const next = await server.peer();
    expect((await next.greet()).body.token).toBe("t2");
    next.close(4001);
    expect(await reached(es, "closed")).toMatchObject({ code: 4001 });
  });

  test("gives a fresh token when a request is refused, and the request is made again", async () => {
    let n = 0;
    const { server, es, peer } = await open({ token: () => `t${++n}` });
    const receipt = es.channel("log:a").publish("x");
    peer.answer(await peer.want("pub"), "error", refusal);
    const next = await server.peer();
    expect((await next.greet()).body).toMatchObject({ token: "t2", resume: "r1" });
    await next.commit(1);
    expect((await receipt).offset).toBe(1);
  });

  test("is asked again after it failed", async () => {
    const server = await serve();
    let n = 0;
    const es = client(server, {
      token: async () => {
        if (++n < 3) throw new Error("no network");
        return "t3";
      },
    });
    const { error } = await reached(es, "waiting");
    expect(error).toMatchObject({
      code: 7,
      name: "token_failed",
      reason: expect.stringContaining("no network"),
    });
    expect((await (await server.peer()).greet()).body.token).toBe("t3");
  });

  test("answers too late for a client that was closed", async () => {
    const server = await serve();
    let answer = (_: string) => {};
    const es = client(server, { token: () => new Promise<string>((resolve) => (answer = resolve)) });
    await es.close();
    answer("late");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.count).toBe(0);
    expect(es.state.name).toBe("closed");
  });

  test("refresh replaces the token in place", async () => {
    let n = 0;
    const { es, peer } = await open({ token: () => `t${++n}` });
    const done = es.refresh();
    const refresh = await peer.want("refresh");
    expect(refresh.body).toEqual({ token: "t2" });
    peer.answer(refresh, "refreshed");
    await done;
  });

  test("a token is renewed before it expires, again and again, on the same link", async () => {
    fakeClock();
    const server = await serve();
    let n = 0;
    const es = client(server, { token: () => `t${++n}` });
    const peer = await server.peer();
    await peer.greet({ expires_ms: 20_000, heartbeat_ms: 60_000 });
    await reached(es, "open");
    for (const [token, after] of [
      ["t2", 18_000],
      ["t3", 9_000],
    ] as const) {
      await vi.advanceTimersByTimeAsync(after - 1);
      await peer.settled();
      expect(n).toBe(Number(token[1]) - 1);
      await vi.advanceTimersByTimeAsync(1);
      const refresh = await peer.want("refresh");
      expect(refresh.body).toEqual({ token });
      peer.answer(refresh, "refreshed", { expires_ms: 10_000 });
      await peer.settled();
    }
    expect(server.count).toBe(1);
  });

  test("a link that ends with its token is followed at once by one with a fresh token", async () => {
    const server = await serve();
    let n = 0;
    const es = client(server, { token: () => `t${++n}` });
    const peer = await server.peer();
    await peer.greet();
    await reached(es, "open");
    peer.close(4202);
    expect((await (await server.peer()).want("hello")).body).toMatchObject({ token: "t2", resume: "r1" });
  });
});

/** Gives the global object the events of a page until the test ends. */
function fakePage(): EventTarget {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  onTestFinished(() => void vi.unstubAllGlobals());
  return page;
}

/** From now on time goes on only when the test says so. Sockets are real all the same. */
function fakeClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
}

async function openWithFakeClock() {
  fakeClock();
  const server = await serve();
  const es = client(server);
  const peer = await server.peer();
  await peer.greet({ heartbeat_ms: 25_000 });
  await reached(es, "open");
  return { server, es, peer };
}

describe("liveness", () => {
  test("answers pings, with their id", async () => {
    const { peer } = await open();
    peer.say({ id: 5, ping: {} });
    expect((await peer.want("pong")).id).toBe(5);
  });

  test("a link that falls silent is given up, although nothing closed it", async () => {
    const server = await serve();
    const es = client(server);
    const peer = await server.peer();
    await peer.greet({ heartbeat_ms: 40 });
    peer.freeze();
    const { error } = await reached(es, "waiting");
    expect(error).toMatchObject({ name: "disconnected", reason: "the server fell silent" });
    await (await server.peer()).greet();
  });

  test("heartbeats keep it", async () => {
    const { es, server, peer } = await openWithFakeClock();
    for (let i = 0; i < 8; i++) {
      vi.advanceTimersByTime(24_000);
      await peer.settled();
    }
    expect(es.state.name).toBe("open");
    expect(server.count).toBe(1);
  });

  test("a server that promises no heartbeats is asked for a sign of life", async () => {
    const { es, peer } = await open({ heartbeat: 40 });
    for (let i = 0; i < 3; i++) {
      await peer.want("ping");
      peer.say({ pong: {} });
    }
    expect(es.state.name).toBe("open");
  });

  test.each(["online", "pageshow", "visibilitychange"])("%s checks an open link", async (sign) => {
    const page = fakePage();
    const { es, peer } = await open();
    page.dispatchEvent(new Event(sign));
    page.dispatchEvent(new Event(sign));
    await peer.want("ping");
    peer.say({ pong: {} });
    await es.close();
    expect(peer.unread).toBe(0);
  });

  test.each(["online", "pageshow", "visibilitychange"])(
    "%s ends the wait for the next attempt",
    async (sign) => {
      const page = fakePage();
      const { server, es, peer } = await open({ backoff: { min: 60_000, max: 60_000 } });
      peer.cut();
      await reached(es, "waiting");
      page.dispatchEvent(new Event(sign));
      await (await server.peer()).greet();
    },
  );

  test("waking many times connects once, and handlers are called once", async () => {
    const page = fakePage();
    const { server, es, peer } = await open({ backoff: { min: 60_000, max: 60_000 } });
    const heard: unknown[] = [];
    es.channel("log:a")
      .subscribe()
      .on("publication", (p) => heard.push(p.data));
    await peer.confirm();
    let at = peer;
    for (let round = 1; round <= 3; round++) {
      at.cut();
      await reached(es, "waiting");
      for (const sign of ["online", "visibilitychange", "pageshow", "online"])
        page.dispatchEvent(new Event(sign));
      es.wake();
      at = await server.peer();
      await at.greet();
      await at.confirm();
      at.publish(round);
      await at.settled();
      expect(heard.splice(0)).toEqual([round]);
      expect(server.count).toBe(1 + round);
    }
  });

  test("a page that is being hidden wakes nothing", async () => {
    const page = fakePage();
    vi.stubGlobal("document", { visibilityState: "hidden" });
    const { es, peer } = await open({ backoff: { min: 60_000, max: 60_000 } });
    peer.cut();
    await reached(es, "waiting");
    page.dispatchEvent(new Event("visibilitychange"));
    expect(es.state.name).toBe("waiting");
  });
});

describe("sleep", () => {
  test("after it the link is asked first, and given up when it does not answer", async () => {
    const { es, peer } = await openWithFakeClock();
    // The clock goes on while timers do not.
    vi.setSystemTime(Date.now() + 3600_000);
    vi.advanceTimersByTime(37_500);
    await peer.want("ping");
    expect(es.state.name).toBe("open");
    vi.advanceTimersByTime(4_000);
    expect(es.state.name).toBe("waiting");
  });

  test("after it a link that answers goes on", async () => {
    const { es, server, peer } = await openWithFakeClock();
    vi.setSystemTime(Date.now() + 3600_000);
    vi.advanceTimersByTime(37_500);
    await peer.want("ping");
    await peer.settled();
    vi.advanceTimersByTime(4_100);
    expect(es.state.name).toBe("open");
    expect(server.count).toBe(1);
  });
});

test("a clock that is set back does not put the watchdog to sleep", async () => {
  const { es } = await openWithFakeClock();
  vi.setSystemTime(Date.now() - 3600_000);
  vi.advanceTimersByTime(37_500);
  expect(es.state.name).toBe("open");
  vi.advanceTimersByTime(37_500);
  expect(es.state.name).toBe("waiting");
});

describe("an attempt that hangs", () => {
  test("is given up", async () => {
    fakeClock();
    const server = await serve();
    const es = client(server);
    const peer = await server.peer();
    await peer.want("hello");
    vi.advanceTimersByTime(10_000);
    expect(es.state).toMatchObject({
      name: "waiting",
      error: { reason: "the attempt to connect took too long" },
    });
    vi.advanceTimersByTime(1_000);
    await (await server.peer()).want("hello");
  });
});
