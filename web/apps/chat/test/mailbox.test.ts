import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Mailbox } from "../src/live/mailbox";
import { Room } from "../src/live/room";
import { FakePost } from "./fake-post";
import { ada, me, offsets } from "./make";

let post: FakePost;
let mailbox: Mailbox;
let leave: AbortController;

beforeEach(() => {
  post = new FakePost();
  mailbox = new Mailbox(post);
  leave = new AbortController();
});

afterEach(() => leave.abort());

/** Follows an inbox that holds letters of these people. */
async function start(...peers: string[]): Promise<void> {
  for (const peer of peers) post.box.put(peer);
  void mailbox.run(leave.signal);
  post.user.value = me.id;
  await vi.waitFor(() => expect(mailbox.phase.value.name).toBe("ready"));
}

/** Opens the conversation with somebody, as a room. */
function open(peer: string): Room {
  const room = new Room(`@${peer}`, mailbox.conversation(peer), signal(me), [], signal({ ...ada, id: peer }));
  void room.run(leave.signal);
  return room;
}

const unread = () => Object.fromEntries(mailbox.unread.value);
const shown = (room: Room) => offsets(room.timeline.value.shown);

describe("the mailbox", () => {
  test("waits until it is known whose it is, and reads all of the inbox", async () => {
    void mailbox.run(leave.signal);
    expect(mailbox.phase.value.name).toBe("loading");
    await start("ada", "eve", "ada", "ada", "eve", "ada", "ada", "ada");
    expect(mailbox.mail.value.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(unread()).toEqual({ ada: 6, eve: 2 });
  });

  test("counts nothing before the read cursor is known", async () => {
    post.marks.upTo.value = undefined;
    await start("ada");
    expect(unread()).toEqual({});
    expect(mailbox.reading("ada").upTo.value).toBeUndefined();
    post.marks.upTo.value = 0;
    expect(unread()).toEqual({ ada: 1 });
  });

  test("says why it cannot be read, and tries again when asked", async () => {
    post.box.fails = Object.assign(new Error("no"), { name: "unavailable" });
    void mailbox.run(leave.signal);
    post.user.value = me.id;
    await vi.waitFor(() =>
      expect(mailbox.phase.value).toMatchObject({ why: "The server cannot keep it now" }),
    );
    post.box.fails = undefined;
    await mailbox.ready();
    expect(mailbox.phase.value.name).toBe("ready");
  });

  test("closes its marks at the end", async () => {
    await start();
    leave.abort();
    expect(post.marks.closed).toBe(true);
  });
});

describe("a conversation", () => {
  test("shows its own letters, those that come, and no others", async () => {
    await start("ada", "eve", "ada");
    const room = open("ada");
    await vi.waitFor(() => expect(shown(room)).toEqual([1, 3]));
    post.box.put("eve");
    post.box.put("ada");
    post.box.put("ada", true);
    await vi.waitFor(() => expect(shown(room)).toEqual([1, 3, 5, 6]));
    expect(room.timeline.value).toMatchObject({ older: false, cut: false });
    expect(room.timeline.value.shown.map(({ from }) => from.id)).toEqual(["ada", "ada", "ada", me.id]);
  });

  test("goes back page by page to its first letter", async () => {
    await start(...Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? "ada" : "eve")));
    const room = open("ada");
    await vi.waitFor(() => expect(room.phase.value.name).toBe("ready"));
    expect(shown(room)).toHaveLength(50);
    while (room.timeline.value.older) await room.loadOlder();
    expect(shown(room)).toEqual(Array.from({ length: 150 }, (_, i) => 2 * i + 1));
    expect(room.timeline.value.cut).toBe(false);
  });

  test("knows that the inbox dropped what came before", async () => {
    for (let i = 0; i < 5; i++) post.box.put("ada");
    post.box.log = post.box.log.slice(2);
    await start();
    const room = open("ada");
    await vi.waitFor(() => expect(shown(room)).toEqual([3, 4, 5]));
    expect(room.timeline.value).toMatchObject({ older: false, cut: true });
  });

  test("sends to the other one, with the name that they have now, and shows it once", async () => {
    await start();
    const room = open("ada");
    await vi.waitFor(() => expect(room.phase.value.name).toBe("ready"));
    room.send("hello");
    await vi.waitFor(() => expect(shown(room)).toEqual([1]));
    expect(room.outbox.value).toEqual([]);
    expect(post.box.sent).toMatchObject([{ to: "ada", data: { from: me, to: ada, text: "hello" } }]);
    expect(unread()).toEqual({});
  });

  test("begins anew with the inbox, without losing what comes meanwhile", async () => {
    await start("ada", "ada");
    const room = open("ada");
    await vi.waitFor(() => expect(shown(room)).toEqual([1, 2]));
    post.box.log = [];
    post.box.put("ada", false, { text: "in the new life" });
    await post.box.onReset();
    post.box.put("ada", false, { text: "and then" });
    const texts = () => room.timeline.value.shown.map(({ text }) => text);
    await vi.waitFor(() => expect(texts()).toEqual(["in the new life", "and then"]));
  });
});

describe("reading a conversation", () => {
  test("moves the cursor where nothing else is unread", async () => {
    await start("ada", "ada");
    mailbox.reading("ada").advance({ offset: 2, position: "p2" });
    expect(post.marks.moves).toEqual([2]);
    expect(unread()).toEqual({});
  });

  test("makes a note where another has older letters, once for a burst, and counts at once", async () => {
    await start("eve", "ada", "ada");
    mailbox.reading("ada").advance({ offset: 2, position: "p2" });
    expect(unread()).toEqual({ eve: 1, ada: 1 });
    mailbox.reading("ada").advance({ offset: 3, position: "p3" });
    expect(unread()).toEqual({ eve: 1 });
    expect(post.marks.moves).toEqual([]);
    await vi.waitFor(() => expect(post.box.noted).toEqual([{ peer: "ada", upTo: 3 }]));
    mailbox.reading("eve").advance({ offset: 1, position: "p1" });
    await vi.waitFor(() => expect(post.marks.upTo.value).toBeGreaterThanOrEqual(3));
    expect(unread()).toEqual({});
  });

  test("on another device counts when its note or its cursor comes", async () => {
    await start("eve", "ada");
    post.box.put(me.id, true, { peer: "ada", upTo: 2 }, "read");
    await vi.waitFor(() => expect(unread()).toEqual({ eve: 1 }));
    post.marks.upTo.value = 3;
    expect(unread()).toEqual({});
  });
});
