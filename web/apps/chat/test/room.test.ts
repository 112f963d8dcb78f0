import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pageSize, Room } from "../src/live/room";
import { maxWaiting } from "../src/model/outbox";
import { FakeChannel } from "./fake-channel";
import { ada, me, offsets, received, run } from "./make";

let channel: FakeChannel;
let room: Room;
let leave: AbortController;

const shown = () => offsets(room.timeline.value.shown);
const states = () => room.outbox.value.map(({ text, state }) => `${text} ${state}`);
const all = (count: number) => offsets(run(1, count));

beforeEach(() => {
  leave = new AbortController();
  channel = new FakeChannel();
  room = new Room("lobby", channel, signal(me));
});

afterEach(() => leave.abort());

async function start(count: number): Promise<void> {
  for (let i = 0; i < count; i++) channel.commit();
  void room.run(leave.signal);
  await vi.waitFor(() => expect(channel.since).not.toBe(""));
}

describe("reading", () => {
  test("begins with the newest page and goes on with what follows it", async () => {
    await start(120);
    expect(room.phase.value.name).toBe("ready");
    expect(shown()).toEqual(offsets(run(121 - pageSize, 120)));
    expect(channel.since).toBe("p120");
    channel.commit();
    await vi.waitFor(() => expect(shown().at(-1)).toBe(121));
  });

  test("goes back page by page to the first message", async () => {
    await start(120);
    while (room.timeline.value.older) await room.loadOlder();
    expect(shown()).toEqual(all(120));
    expect(channel.asked).toEqual(["newest", "p71", "p21"]);
    await room.loadOlder();
    expect(channel.asked).toHaveLength(3);
  });

  test("asks for one page at a time", async () => {
    await start(120);
    await Promise.all([room.loadOlder(), room.loadOlder()]);
    expect(channel.asked).toEqual(["newest", "p71"]);
  });

  test("says when a page did not come, and takes it later", async () => {
    await start(120);
    const history = vi.spyOn(channel, "history").mockRejectedValueOnce(new Error("gone"));
    await room.loadOlder();
    expect(room.paging.value).toBe("failed");
    history.mockRestore();
    await room.loadOlder();
    expect(room.paging.value).toBe("idle");
    expect(shown()).toEqual(offsets(run(21, 120)));
  });

  test("throws a page away that belongs to a place the reader has left", async () => {
    await start(700);
    while (room.timeline.value.older) await room.loadOlder();
    const asked = room.loadNewer();
    room.toNewest();
    const newest = shown();
    await asked;
    expect(shown()).toEqual(newest);
  });

  test("begins anew after a reset", async () => {
    await start(10);
    channel.log.splice(0, 10);
    for (let i = 0; i < 3; i++) channel.log.push({ ...received(i + 1), data: "again" });
    await channel.onReset();
    expect(room.timeline.value.shown.map(({ text }) => text)).toEqual(["again", "again", "again"]);
    expect(room.phase.value.name).toBe("ready");
  });

  test("says why a room cannot be read, and follows it once it can", async () => {
    const history = vi.spyOn(channel, "history");
    history.mockRejectedValueOnce(Object.assign(new Error("no"), { name: "forbidden" }));
    void room.run(leave.signal);
    await vi.waitFor(() => expect(room.phase.value.name).toBe("failed"));
    expect(room.phase.value).toMatchObject({ name: "failed", why: "This server does not allow it" });
    room.tryAgain();
    await vi.waitFor(() => expect(channel.since).not.toBe(""));
    channel.commit();
    await vi.waitFor(() => expect(shown()).toEqual([1]));
  });

  test("fails where the newest page does not come after a reset", async () => {
    await start(10);
    vi.spyOn(channel, "history").mockRejectedValueOnce(new Error("gone"));
    await expect(channel.onReset()).rejects.toThrow("gone");
  });
});

describe("sending", () => {
  test("shows a message at once, and once when it comes back before the answer", async () => {
    await start(1);
    room.send("hello");
    expect(states()).toEqual(["hello sending"]);
    const [sent] = channel.published;
    channel.commit(sent?.data);
    await vi.waitFor(() => expect(shown()).toEqual([1, 2]));
    expect(states()).toEqual([]);
    sent?.settle();
    await Promise.resolve();
    expect(states()).toEqual([]);
  });

  test("shows a message once when the answer comes before it", async () => {
    await start(1);
    room.send("hello");
    const [sent] = channel.published;
    sent?.settle();
    await vi.waitFor(() => expect(states()).toEqual(["hello sent"]));
    channel.commit(sent?.data);
    await vi.waitFor(() => expect(states()).toEqual([]));
    expect(shown()).toEqual([1, 2]);
  });

  test("does not keep showing what was sent when the log begins anew without it", async () => {
    await start(1);
    room.send("hello");
    channel.published[0]?.settle();
    await vi.waitFor(() => expect(states()).toEqual(["hello sent"]));
    room.send("not yet");
    await channel.onReset();
    expect(states()).toEqual(["not yet sending"]);
  });

  test("finds its own message in a burst that is longer than the page", async () => {
    await start(1);
    room.send("hello");
    channel.commit(channel.published[0]?.data);
    for (let i = 0; i < 600; i++) channel.commit();
    await vi.waitFor(() => expect(shown().at(-1)).toBe(602));
    expect(states()).toEqual([]);
  });

  test("does not take another's message with the same id for its own", async () => {
    await start(0);
    room.send("hello");
    channel.commit({ ...channel.published[0]?.data, from: ada });
    await vi.waitFor(() => expect(shown()).toEqual([1]));
    expect(states()).toEqual(["hello sending"]);
  });

  test("sends again what failed, under the same id and with the same data", async () => {
    await start(0);
    room.send("hello");
    channel.published[0]?.settle(Object.assign(new Error(), { name: "disk_full" }));
    await vi.waitFor(() => expect(states()).toEqual(["hello failed"]));
    expect(room.outbox.value[0]?.error).toBe("The server has no room left");
    const id = room.outbox.value[0]?.id ?? "";
    room.retry(id);
    room.retry(id);
    expect(states()).toEqual(["hello sending"]);
    expect(channel.published).toHaveLength(2);
    expect(channel.published[1]).toMatchObject({ idem: id, data: channel.published[0]?.data });
  });

  test("forgets what is discarded", async () => {
    await start(0);
    room.send("hello");
    room.discard(room.outbox.value[0]?.id ?? "");
    expect(states()).toEqual([]);
  });

  test("sends what was on the way when the page was closed, in its order and under its keys", async () => {
    const kept = ["a", "b"].map(
      (id) => ({ id, from: me, text: id, time: Date.now(), state: "sending", error: "" }) as const,
    );
    room = new Room("lobby", channel, signal(me), kept);
    await start(1);
    expect(channel.published.map(({ idem }) => idem)).toEqual(["a", "b"]);
    channel.commit(channel.published[0]?.data);
    await vi.waitFor(() => expect(states()).toEqual(["b sending"]));
  });

  test("refuses to queue without bound", async () => {
    await start(0);
    for (let i = 0; i < maxWaiting; i++) expect(room.send(`${i}`)).toBe(true);
    expect(room.send("one more")).toBe(false);
    expect(channel.published).toHaveLength(maxWaiting);
  });

  test("goes to the end of the log", async () => {
    await start(700);
    while (room.timeline.value.older) await room.loadOlder();
    room.following = false;
    room.send("hello");
    expect(room.following).toBe(true);
    expect(shown().at(-1)).toBe(700);
  });
});
