import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Chat } from "../src/live/chat";
import type { Gathering, Me } from "../src/live/gathering";
import { adopt, Profile } from "../src/live/profile";
import { readDeviceLink } from "../src/model/device";
import type { Link } from "../src/model/link";
import type { Received } from "../src/model/message";
import type { Person } from "../src/model/person";
import { linkTo, maxJoinedRooms, placeOf, readyRooms } from "../src/model/rooms";
import { FakeChannel } from "./fake-channel";
import { eve, FakeMarks, FakePost } from "./fake-post";
import { ada, received } from "./make";

/** As the browser's: what is kept are the object's own properties. */
class FakeStorage {
  getItem(this: Record<string, string>, key: string): string | null {
    return this[key] ?? null;
  }
  setItem(this: Record<string, string>, key: string, value: string): void {
    this[key] = value;
  }
  removeItem(this: Record<string, string>, key: string): void {
    delete this[key];
  }
}

let channels: Map<string, FakeChannel>;
let post: FakePost;
/** How far the rooms were read. */
let marks: Map<string, FakeMarks>;
const online = signal<readonly Person[]>([]);
/** What the server keeps. */
let logs: Map<string, Received[]>;
const place = { hash: "" };

beforeEach(() => {
  vi.stubGlobal("localStorage", new FakeStorage());
  vi.stubGlobal("sessionStorage", new FakeStorage());
  vi.stubGlobal("location", place);
  place.hash = "";
  logs = new Map();
  marks = new Map();
  online.value = [];
  gathered = [];
});

afterEach(() => vi.unstubAllGlobals());

/** The rooms that were gathered in, with who was there, in order; `-` is leaving. */
let gathered: string[];

const gather = (room: string, me: Me): Gathering => {
  const note = () => gathered.push(`${room} ${me.peek()?.name ?? "nobody"}`);
  note();
  return {
    people: signal([]),
    writers: signal([]),
    writing: note,
    leave: () => void gathered.push(`-${room}`),
  };
};

/** Loads the page: what is kept in the browser stays from one to the next. */
function load(): Chat {
  channels = new Map();
  post = new FakePost();
  const channel = (name: string) => {
    const made = new FakeChannel(logs.get(name));
    channels.set(name, made);
    return made;
  };
  const roomMarks = (room: string) => {
    const kept = marks.get(room) ?? new FakeMarks();
    marks.set(room, kept);
    return kept;
  };
  const crowd = () => online;
  const chat = new Chat(new Profile(), {
    link: signal<Link>({ name: "open" }),
    user: post.user,
    inbox: post.inbox,
    inboxMarks: post.inboxMarks,
    channel,
    roomMarks,
    gather,
    crowd,
  });
  post.user.value = "me";
  return chat;
}

const names = (chat: Chat) => chat.list.value.map(({ name }) => name);
const ready = (chat: Chat, name: string) =>
  vi.waitFor(() => expect(chat.follow(name).room.phase.value.name).toBe("ready"));

describe("rooms", () => {
  test("lists and follows a room that is opened, also the next time", () => {
    load().openFromAddress("#/tea");
    const chat = load();
    expect(names(chat)).toEqual([...readyRooms.map(({ name }) => name), "tea"]);
    expect([...channels.keys()]).toContain("chat:tea");
  });

  test("leaves a room, goes to the first one, and stops following it", async () => {
    const chat = load();
    chat.openFromAddress("#/tea");
    await ready(chat, "tea");
    const room = chat.room;
    chat.leave("tea");
    expect(chat.current.value).toBe("lobby");
    expect(place.hash).toBe("#/lobby");
    expect(names(chat)).not.toContain("tea");
    channels.get("chat:tea")?.commit();
    await ready(chat, "lobby");
    expect(room.timeline.value.shown).toEqual([]);
  });

  test("lists a bounded number of rooms, and forgets the oldest", () => {
    const chat = load();
    for (let i = 0; i <= maxJoinedRooms; i++) chat.openFromAddress(`#/room-${i}`);
    expect(names(chat)).toHaveLength(readyRooms.length + maxJoinedRooms);
    expect(names(chat)).not.toContain("room-0");
    expect(chat.current.value).toBe(`room-${maxJoinedRooms}`);
  });

  test("goes nowhere for a name without a letter", () => {
    const chat = load();
    expect(chat.goTo(" /# ")).toBe(false);
    expect(place.hash).toBe("");
    expect(chat.goTo("Tea Kitchen")).toBe(true);
    expect(place.hash).toBe("#/tea-kitchen");
  });

  test("survives anything that is kept in the browser", () => {
    for (const kept of ["", "null", "[", '{"a":1}', '["lobby",1,"A B","tea","tea"]']) {
      localStorage.setItem("earshot.chat.rooms", kept);
      for (const key of ["me", "id", "secret"]) localStorage.setItem(`earshot.chat.${key}`, kept);
      sessionStorage.setItem("earshot.chat.outbox.lobby", kept);
      expect(new Set(names(load())).size).toBe(names(load()).length);
    }
    expect(names(load())).toContain("tea");
  });
});

describe("reading", () => {
  test("begins, on the first visit of all, with what a room holds, and with nothing where it is empty", async () => {
    logs.set("chat:help", [received(1), received(2)]);
    const chat = load();
    await vi.waitFor(() => expect(marks.get("help")?.moves).toEqual([2]));
    expect(marks.get("lobby")?.moves).toEqual([]);
    expect(chat.follow("lobby").reading.upTo.value).toBe(0);
  });

  test("begins later, and on another device, where the server says, which may be nowhere", async () => {
    new Profile().choose("Ada", 1);
    logs.set("chat:help", [received(1), received(2)]);
    const chat = load();
    await ready(chat, "help");
    expect(marks.get("help")?.moves).toEqual([]);
    expect(chat.follow("help").reading.upTo.value).toBe(0);
  });

  test("goes on where it was, on whichever device that was", async () => {
    marks.set("help", new FakeMarks());
    marks.get("help")?.advance({ offset: 1 });
    logs.set("chat:help", [received(1), received(2)]);
    const chat = load();
    await ready(chat, "help");
    const kept = marks.get("help");
    if (kept) kept.count.value = 1;
    expect(kept?.moves).toEqual([1]);
    await vi.waitFor(() => expect(chat.unread("help")).toBe(1));
    expect(chat.unreadBut("lobby")).toBe(1);
    expect(chat.unreadBut("help")).toBe(0);
    chat.markRead("help");
    chat.markRead("help");
    expect(kept?.moves).toEqual([1, 2]);
  });

  test("ends with the room", async () => {
    const chat = load();
    chat.openFromAddress("#/tea");
    await ready(chat, "tea");
    expect(marks.get("tea")?.closed).toBe(false);
    chat.leave("tea");
    expect(marks.get("tea")?.closed).toBe(true);
  });
});

describe("conversations", () => {
  const user = "0123456789abcdef0123";
  const titles = (chat: Chat) => chat.conversations.list.value.map(({ peer: { name } }) => name);

  test("are listed by their newest letters, with the names that the letters or the people themselves say", async () => {
    const chat = load();
    post.box.put("ada", false, { from: ada, text: "hello" });
    post.box.put("eve", true, { from: {}, to: eve, text: "hello" });
    await vi.waitFor(() => expect(titles(chat)).toEqual(["Eve", "Ada"]));
    online.value = [{ ...ada, name: "Ada L." }];
    expect(titles(chat)).toEqual(["Eve", "Ada L."]);
    expect(chat.conversations.isOnline("ada")).toBe(true);
    expect(chat.conversations.isOnline("eve")).toBe(false);
    expect(chat.unread("@ada")).toBe(1);
    expect(chat.unreadBut("lobby")).toBe(1);
  });

  test("are there from when they are opened, above the others", async () => {
    online.value = [{ ...ada, id: user }];
    const chat = load();
    post.box.put("eve", false, { from: eve, text: "hello" });
    chat.openFromAddress(linkTo(placeOf(user)));
    expect(chat.current.value).toBe(placeOf(user));
    expect(chat.peer?.name).toBe("Ada");
    await vi.waitFor(() => expect(titles(chat)).toEqual(["Ada", "Eve"]));
    expect(names(chat)).not.toContain(placeOf(user));
    chat.openFromAddress("#/lobby");
    expect(chat.peer).toBeUndefined();
    expect(titles(chat)).toEqual(["Eve"]);
  });

  test("with somebody whom nobody knows have a name all the same", () => {
    const chat = load();
    chat.openFromAddress(linkTo(placeOf(user)));
    expect(titles(chat)).toEqual(["Somebody"]);
  });

  test("have no gathering", () => {
    const chat = load();
    const stop = chat.startGathering();
    chat.openFromAddress(linkTo(placeOf(user)));
    expect(chat.gathering.value).toBeUndefined();
    stop();
    expect(gathered).toEqual(["lobby nobody", "-lobby"]);
  });
});

describe("the gathering", () => {
  test("is that of the open room, and of somebody with a name", () => {
    const chat = load();
    const stop = chat.startGathering();
    chat.profile.choose("Ada", 1);
    chat.gathering.peek()?.writing(true);
    chat.openFromAddress("#/random");
    stop();
    expect(gathered).toEqual(["lobby nobody", "lobby Ada", "-lobby", "random Ada", "-random"]);
  });
});

describe("the person", () => {
  test("has a secret that stays, and the id that the server says", () => {
    const first = new Profile();
    expect(first.secret).toMatch(/^[0-9a-f]{32}$/);
    expect(first.person.value.id).toBe("");
    first.know("user-1");
    const second = new Profile();
    expect(second.secret).toBe(first.secret);
    expect(second.person.value.id).toBe("user-1");
  });

  test("is the same one on a device that was given the link, and nobody known until the server says so", () => {
    const first = new Profile();
    first.choose("Ada", 3);
    first.know("user-1");
    const link = readDeviceLink(first.deviceLink());
    vi.stubGlobal("localStorage", new FakeStorage());
    new Profile().know("user-2");
    sessionStorage.setItem("earshot.chat.outbox.lobby", "[]");
    sessionStorage.setItem("another.page", "1");
    if (link) adopt(link);
    expect(Object.keys(sessionStorage)).toEqual(["another.page"]);
    const device = new Profile();
    expect(device.secret).toBe(first.secret);
    expect(device.isNew.value).toBe(false);
    expect(device.person.value).toEqual({ id: "", name: "Ada", hue: 3 });
  });
});
