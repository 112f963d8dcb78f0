import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Chat } from "../src/live/chat";
import type { Gathering, Me } from "../src/live/gathering";
import { Profile } from "../src/live/profile";
import type { Link } from "../src/model/link";
import type { Received } from "../src/model/message";
import { maxJoinedRooms, readyRooms } from "../src/model/rooms";
import { FakeChannel } from "./fake-channel";
import { received } from "./make";

class FakeStorage {
  private readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
}

let channels: Map<string, FakeChannel>;
/** What the server keeps. */
let logs: Map<string, Received[]>;
const place = { hash: "" };

beforeEach(() => {
  vi.stubGlobal("localStorage", new FakeStorage());
  vi.stubGlobal("sessionStorage", new FakeStorage());
  vi.stubGlobal("location", place);
  place.hash = "";
  logs = new Map();
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
  const channel = (name: string) => {
    const made = new FakeChannel(logs.get(name));
    channels.set(name, made);
    return made;
  };
  const chat = new Chat(new Profile(), { link: signal<Link>({ name: "open" }), channel, gather });
  chat.startCounting();
  return chat;
}

const names = (chat: Chat) => chat.list.value.map(({ name }) => name);
const ready = (chat: Chat, name: string) =>
  vi.waitFor(() => expect(chat.follow(name).phase.value.name).toBe("ready"));

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
      localStorage.setItem("earshot.chat.read", kept);
      localStorage.setItem("earshot.chat.me", kept);
      sessionStorage.setItem("earshot.chat.outbox.lobby", kept);
      expect(new Set(names(load())).size).toBe(names(load()).length);
    }
    expect(names(load())).toContain("tea");
  });
});

describe("unread", () => {
  test("counts from the first visit on, and across visits", async () => {
    const first = load();
    first.profile.choose("Ada", 1);
    await ready(first, "help");
    expect(first.unread("help")).toBe(0);
    channels.get("chat:help")?.commit();
    await vi.waitFor(() => expect(first.unread("help")).toBe(1));
    first.markRead("help");
    expect(first.unread("help")).toBe(0);
    logs.set("chat:help", [
      received(1),
      received(2),
      received(3, { from: first.profile.person.value, text: "mine" }),
    ]);
    const second = load();
    await ready(second, "help");
    expect(second.unread("help")).toBe(1);
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
