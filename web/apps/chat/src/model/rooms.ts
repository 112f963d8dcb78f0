import { hueOf, type Person } from "./person";

/** A room of the side list. */
export interface RoomInfo {
  readonly name: string;
  readonly topic: string;
  /** The colour of its picture. */
  readonly hue: number;
  /** Ready rooms are always listed; others can be left. */
  readonly ready: boolean;
}

export const readyRooms: readonly RoomInfo[] = [
  { name: "lobby", topic: "Come in and say hello", hue: 6, ready: true },
  { name: "random", topic: "Anything that fits nowhere else", hue: 1, ready: true },
  { name: "help", topic: "Ask, and somebody may know", hue: 8, ready: true },
];

/** The room that is open when the address names none. */
export const firstRoom = "lobby";

/** Rooms that can be listed beside the ready ones: each is two subscriptions, and a session may have 128. */
export const maxJoinedRooms = 40;

const maxNameLength = 40;

/** Makes a room name of what somebody typed or of a link; empty if nothing usable is left. */
export function roomName(text: string): string {
  const plain = text
    .normalize("NFC")
    .toLowerCase()
    .replace(/^[\s#@]+/u, "");
  const joined = plain.replace(/[\p{C}\p{Z}\s#/]+/gu, "-").replace(/-{2,}/gu, "-");
  const short = Array.from(joined).slice(0, maxNameLength).join("");
  return short.replace(/^-+|-+$/gu, "");
}

/** Returns the place of the conversation with a user: like a room it has a name, which no room can have. */
export function placeOf(user: string): string {
  return `@${user}`;
}

/** Returns the user with whom a place is the conversation; undefined for a room. */
export function peerOf(place: string): string | undefined {
  return place.startsWith("@") ? place.slice(1) : undefined;
}

/** Returns the channel that carries a room. */
export function channelOf(name: string): string {
  return `chat:${name}`;
}

/** Returns the map that says who is writing in a room. */
export function typingMapOf(name: string): string {
  return `typing:${name}`;
}

/** Returns the link to a room or a conversation, relative to the page. */
export function linkTo(place: string): string {
  return `#/${encodeURIComponent(place)}`;
}

/** Returns the room or the conversation that a location's hash names, or an empty string. */
export function placeOfHash(hash: string): string {
  try {
    const text = decodeURIComponent(hash.replace(/^#\/?/u, "").replace(/^chat:/u, ""));
    return userAddress.test(text) ? text : roomName(text);
  } catch {
    return "";
  }
}

/** What the demo's server makes of a guest's secret, after the sign for a conversation. */
const userAddress = /^@[0-9a-f]{20}$/u;

/** Returns what is known of a room by its name. */
export function roomInfo(name: string): RoomInfo {
  const ready = readyRooms.find((room) => room.name === name);
  return ready ?? { name, topic: "Open to everyone who knows its name", hue: hueOf(name), ready: false };
}

/** Returns the list beside the log: the ready rooms and then the joined ones. */
export function roomList(joined: readonly string[]): RoomInfo[] {
  const others = joined.filter((name) => !readyRooms.some((room) => room.name === name));
  return [...readyRooms, ...others.map(roomInfo)];
}

/** Names a place in a sentence: a room, or the person with whom it is the conversation. */
export function nameOf(room: string, peer: Pick<Person, "name"> | undefined): string {
  return peer === undefined ? `#${room}` : peer.name;
}

/** Returns the page's title while a place of this name is open. */
export function titleOf(name: string, unread: number): string {
  return `${unread > 0 ? `(${unread > 99 ? "99+" : unread}) ` : ""}${name} · Earshot`;
}
