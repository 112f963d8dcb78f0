import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { Link } from "../model/link";
import {
  channelOf,
  firstRoom,
  linkTo,
  maxJoinedRooms,
  type RoomInfo,
  roomList,
  roomName,
  roomOfHash,
} from "../model/rooms";
import { newest } from "../model/timeline";
import { beforeAll, isAfter, markOf, type ReadMark, unread } from "../model/unread";
import type { Gathering, Me } from "./gathering";
import { loadOutbox, saveOutbox } from "./kept";
import type { Profile } from "./profile";
import { Room, type RoomChannel } from "./room";
import { load, save } from "./storage";

/** What the chat needs of the client. */
export interface Connection {
  readonly link: ReadonlySignal<Link>;
  channel(name: string): RoomChannel;
  gather(room: string, me: Me): Gathering;
}

/** The whole chat: the rooms that are followed, the one that is open, and how far each was read. */
export class Chat {
  private readonly joined = signal(load(localStorage, "rooms", readNames) ?? []);
  private readonly marks = signal(load(localStorage, "read", readMarks) ?? {});
  private readonly followed = new Map<string, { room: Room; leave: AbortController }>();

  /** The name of the open room. */
  readonly current = signal(firstRoom);
  readonly list: ReadonlySignal<readonly RoomInfo[]> = computed(() => roomList(this.joined.value));
  /** The people in the open room. */
  readonly gathering = signal<Gathering | undefined>(undefined);
  /** Whether the page is in front of its reader. */
  readonly attended = signal(true);

  constructor(
    readonly profile: Profile,
    readonly connection: Connection,
  ) {
    for (const { name } of this.list.peek()) this.follow(name);
  }

  /** Returns the open room. */
  get room(): Room {
    return this.follow(this.current.value);
  }

  /** Returns a listed room, and starts to follow it if it is new. */
  follow(name: string): Room {
    const known = this.followed.get(name);
    if (known !== undefined) return known.room;
    const kept = loadOutbox(name);
    const room = new Room(name, this.connection.channel(channelOf(name)), this.profile.person, kept);
    const leave = new AbortController();
    this.followed.set(name, { room, leave });
    const forget = effect(() => saveOutbox(name, room.outbox.value));
    leave.signal.addEventListener("abort", forget);
    void room.run(leave.signal);
    return room;
  }

  /** Opens the room that the address names, and lists it from now on. */
  openFromAddress(hash: string): void {
    const name = roomOfHash(hash) || firstRoom;
    if (!this.list.peek().some((room) => room.name === name)) {
      this.keepJoined([...this.joined.peek(), name].slice(-maxJoinedRooms));
    }
    this.current.value = name;
  }

  /** Goes to a room by name. Returns false when nothing usable is in the name. */
  goTo(text: string): boolean {
    const name = roomName(text);
    if (name === "") return false;
    location.hash = linkTo(name);
    return true;
  }

  /** Takes a joined room off the list. */
  leave(name: string): void {
    if (this.current.peek() === name) {
      this.current.value = firstRoom;
      location.hash = linkTo(firstRoom);
    }
    this.keepJoined(this.joined.peek().filter((other) => other !== name));
  }

  /** Returns how far a room was read; undefined before the first visit. */
  mark(name: string): ReadMark | undefined {
    return this.marks.value[name];
  }

  /** Returns how far a room was read, without following its changes. */
  peekMark(name: string): ReadMark | undefined {
    return this.marks.peek()[name];
  }

  /** Counts what others wrote in a room since it was last read, as far as the page knows. */
  unread(name: string): number {
    const { shown, tail } = this.follow(name).timeline.value;
    return unread(tail.length > 0 ? tail : shown, this.mark(name), this.profile.person.value.id).length;
  }

  /** Notes that a room's newest message was seen. */
  markRead(name: string): void {
    const last = newest(this.follow(name).timeline.peek());
    const mark = this.marks.peek()[name];
    if (last !== undefined && (mark === undefined || isAfter(last, mark))) this.keepMark(name, markOf(last));
  }

  /** Starts the count of rooms that were never visited at what they hold now. Returns what stops it. */
  startCounting(): () => void {
    return effect(() => {
      for (const { name } of this.list.value) {
        const room = this.follow(name);
        if (room.phase.value.name !== "ready" || this.marks.peek()[name] !== undefined) continue;
        const last = newest(room.timeline.peek());
        this.keepMark(name, last === undefined ? beforeAll : markOf(last));
      }
    });
  }

  /** Joins the people in the open room, whichever it is. Returns what stops it. */
  startGathering(): () => void {
    const me = computed(() => (this.profile.isNew.value ? undefined : this.profile.person.value));
    return effect(() => {
      const room = this.current.value;
      const gathering = untracked(() => this.connection.gather(room, me));
      this.gathering.value = gathering;
      return () => gathering.leave();
    });
  }

  private keepMark(name: string, mark: ReadMark): void {
    this.keepMarks({ ...this.marks.peek(), [name]: mark });
  }

  private keepMarks(marks: Record<string, ReadMark>): void {
    this.marks.value = marks;
    save(localStorage, "read", marks);
  }

  /** Changes the list, and stops following what is not on it any more. */
  private keepJoined(names: readonly string[]): void {
    this.joined.value = [...names];
    save(localStorage, "rooms", names);
    const isListed = (name: string) => this.list.peek().some((room) => room.name === name);
    this.keepMarks(Object.fromEntries(Object.entries(this.marks.peek()).filter(([name]) => isListed(name))));
    for (const [name, { leave }] of this.followed) {
      if (isListed(name)) continue;
      leave.abort();
      this.followed.delete(name);
    }
  }
}

function readNames(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const names = value.filter(
    (name): name is string => typeof name === "string" && name !== "" && roomName(name) === name,
  );
  return [...new Set(names)].slice(-maxJoinedRooms);
}

function readMarks(value: unknown): Record<string, ReadMark> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const isMark = (mark: unknown): mark is ReadMark =>
    typeof mark === "object" &&
    mark !== null &&
    "time" in mark &&
    "offset" in mark &&
    typeof mark.time === "number" &&
    typeof mark.offset === "number";
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, ReadMark] => isMark(entry[1])),
  );
}
