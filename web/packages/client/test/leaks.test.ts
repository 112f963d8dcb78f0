import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test, vi } from "vitest";
import { call } from "../src/call.js";
import { connect, type Subscription, type WebSocketLike } from "../src/index.js";
import { type MapSubscription, map } from "../src/map.js";
import { presence } from "../src/presence.js";
import { open, take } from "./script.js";

/** Counts the listeners of a target that are there now. */
function countListeners(target: EventTarget): () => number {
  let count = 0;
  const { addEventListener, removeEventListener } = target;
  target.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    count++;
    addEventListener.apply(target, args);
  };
  target.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    count--;
    removeEventListener.apply(target, args);
  };
  return () => count;
}

/** Collects garbage, and lets what waits for that run. */
async function collect(): Promise<void> {
  setFlagsFromString("--expose-gc");
  for (let i = 0; i < 5; i++) {
    runInNewContext("gc")();
    await new Promise((resolve) => setTimeout(resolve));
  }
}

test("signals keep nothing of what has ended", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const { es, peer } = await open({ signal });
  expect(listeners()).toBe(1);
  const channel = es.channel("log:a");
  const sub = channel.subscribe({ signal });
  const receipt = channel.publish(1, { signal });
  const page = channel.history({ signal });
  expect(listeners()).toBe(4);
  await peer.confirm();
  await peer.commit(1);
  await peer.page(1, 1);
  await Promise.all([receipt, page]);
  sub.close();
  expect(listeners()).toBe(1);
  await es.close();
  expect(listeners()).toBe(0);
});

test("nor of maps, presence and calls", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const { es, peer } = await open();
  const sub = map(es, "map:a").subscribe({ signal });
  const roster = presence(es, "log:a").watch({ signal });
  for (const ch of ["map:a", "presence:log:a"]) {
    await peer.confirm();
    peer.synced(1, ch);
  }
  await Promise.all([sub.synced(signal), roster.synced(signal)]);
  const set = map(es, "map:a").set("k", 1, { signal });
  const joined = presence(es, "log:a").join(1, { signal });
  const result = call(es, "price", 1, { signal });
  expect(listeners()).toBe(5);
  await peer.answered("set", 1);
  await peer.answered("join", 1);
  peer.answer(await peer.want("call"), "result");
  await Promise.all([set, joined, result]);
  const update = sub.update("k", () => 2, { signal });
  peer.refuse(await peer.want("set"), 112, "version_mismatch");
  await peer.settled();
  peer.key("k", 2, 2);
  await peer.answered("set", 3);
  await update;
  sub.close();
  roster.close();
  expect(listeners()).toBe(0);
});

test("the page keeps nothing of a client that was closed", async () => {
  const page = new EventTarget();
  const listeners = countListeners(page);
  vi.stubGlobal("addEventListener", page.addEventListener);
  vi.stubGlobal("removeEventListener", page.removeEventListener);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { es } = await open();
  expect(listeners()).toBe(3);
  await es.close();
  expect(listeners()).toBe(0);
});

/** A socket that greets, and then puts off everything that is asked. */
class PuttingOff implements WebSocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror = null;
  constructor() {
    queueMicrotask(() => this.onopen?.());
  }
  send(text: string) {
    const { id, hello } = JSON.parse(text);
    const answer = hello ? { welcome: { session: "s" } } : { error: { code: 301, retry_ms: 60_000 } };
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify({ id, ...answer }) }));
  }
  close(code = 1000) {
    queueMicrotask(() => this.onclose?.({ code, reason: "" }));
  }
}

test("a client that was closed has no timers", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const es = connect("http://h", { webSocket: PuttingOff, closeTimeout: 0 });
  const channel = es.channel("log:a");
  channel.subscribe();
  const requests = [channel.publish(1), channel.history()].map((each) => each.catch((error) => error.name));
  await vi.advanceTimersByTimeAsync(1);
  // The watchdog, and three that wait to ask again.
  expect(vi.getTimerCount()).toBe(4);
  const closed = es.close();
  await vi.advanceTimersByTimeAsync(1);
  await closed;
  expect(await Promise.all(requests)).toEqual(["closed", "closed"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("nor has one that was closed while it waited to come back", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  class Failing extends PuttingOff {
    override send() {
      this.close(1006);
    }
  }
  const es = connect("http://h", { webSocket: Failing });
  await vi.advanceTimersByTimeAsync(1);
  expect(es.state.name).toBe("waiting");
  expect(vi.getTimerCount()).toBe(1);
  await es.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("a client that stays open keeps nothing of subscriptions that ended", async () => {
  const { es, peer } = await open();
  const channel = es.channel("log:a");
  const ended: WeakRef<Subscription<unknown>>[] = [];
  for (let i = 0; i < 50; i++) {
    const sub = channel.subscribe({ last: 1 });
    sub.on("reset", () => {});
    ended.push(new WeakRef(sub));
    await peer.confirm();
    peer.publish(1);
    await take(sub[Symbol.asyncIterator](), 1);
    sub.close();
    await peer.want("unsub");
  }
  await peer.settled();
  await collect();
  expect(ended.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
  expect(es.state.name).toBe("open");
});

test("nor of maps that are not followed any more", async () => {
  const { es, peer } = await open();
  const ended: WeakRef<MapSubscription<unknown>>[] = [];
  for (let i = 0; i < 50; i++) {
    const sub = map(es, "map:a").subscribe();
    ended.push(new WeakRef(sub));
    await peer.confirm();
    peer.key("k", 1, 1);
    peer.synced(1);
    await sub.synced();
    sub.close();
    await peer.want("unsub");
  }
  await peer.settled();
  await collect();
  expect(ended.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
  expect(es.state.name).toBe("open");
});

test("listeners that were taken off are not kept", async () => {
  const { es } = await open();
  const gone = (() => {
    const listener = () => {};
    const off = es.on("state", listener);
    off();
    off();
    return new WeakRef(listener);
  })();
  await collect();
  expect(gone.deref()).toBeUndefined();
});
