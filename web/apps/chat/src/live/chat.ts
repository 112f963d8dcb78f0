import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { Link } from "../model/link";
import type { Person } from "../model/person";
import {
  channelOf,
  firstRoom,
  linkTo,
  maxJoinedRooms,
  peerOf,
  placeOfHash,
  type RoomInfo,
  roomList,
  roomName,
} from "../model/rooms";
import { newest } from "../model/timeline";
import { Conversations } from "./conversations";
import type { Crowd } from "./crowd";
import type { Gathering, Me } from "./gathering";
import { loadOutbox, saveOutbox } from "./kept";
import { Mailbox, type Post } from "./mailbox";
import type { Profile } from "./profile";
import { type Reading, type ReadMarks, RoomReading } from "./reading";
import { Room, type RoomChannel } from "./room";
import { load, save } from "./storage";

/** What the chat needs of the client. */
export interface Connection extends Post {
  readonly link: ReadonlySignal<Link>;
  channel(name: string): RoomChannel;
  roomMarks(room: string, user: string): ReadMarks;
  gather(room: string, me: Me): Gathering;
  crowd(me: Me): Crowd;
}

/** A place that is followed: a room, or a conversation. */
interface Followed {
  readonly room: Room;
  readonly reading: Reading;
  readonly leave: AbortController;
}

/** The whole chat: the rooms that are followed, the conversations, and which of them is open. */
export class Chat {
  private readonly joined = signal(load(localStorage, "rooms", readNames) ?? []);
  private readonly followed = new Map<string, Followed>();
  private readonly mailbox: Mailbox;
  /** Nobody has been here as this person before. */
  private readonly isFirstVisit: boolean;
  private readonly me: Me = computed(() =>
    this.profile.isNew.value ? undefined : this.profile.person.value,
  );

  /** The name of the open room, or the place of the open conversation. */
  readonly current = signal(firstRoom);
  readonly list: ReadonlySignal<readonly RoomInfo[]> = computed(() => roomList(this.joined.value));
  readonly conversations: Conversations;
  /** The people in the open room; undefined in a conversation. */
  readonly gathering = signal<Gathering | undefined>(undefined);
  /** Whether the page is in front of its reader. */
  readonly attended = signal(true);

  constructor(
    readonly profile: Profile,
    readonly connection: Connection,
  ) {
    this.isFirstVisit = profile.isNew.peek();
    this.mailbox = new Mailbox(connection);
    this.conversations = new Conversations(this.mailbox, connection.crowd(this.me), this.current);
    void this.mailbox.run(new AbortController().signal);
    for (const { name } of this.list.peek()) this.follow(name);
  }

  /** Returns the open room or conversation. */
  get room(): Room {
    return this.follow(this.current.value).room;
  }

  /** Returns the person with whom the open place is the conversation; undefined for a room. */
  get peer(): Person | undefined {
    const user = peerOf(this.current.value);
    return user === undefined ? undefined : this.conversations.personOf(user);
  }

  /** Returns a listed room or a conversation, and starts to follow it if it is new. */
  follow(place: string): Followed {
    const known = this.followed.get(place);
    if (known !== undefined) return known;
    const user = peerOf(place);
    const made = user === undefined ? this.followRoom(place) : this.followConversation(place, user);
    this.followed.set(place, made);
    const { room, leave } = made;
    const forget = effect(() => saveOutbox(place, room.outbox.value));
    leave.signal.addEventListener("abort", forget);
    void room.run(leave.signal);
    return made;
  }

  /** Opens the place that the address names; a room is listed from now on. */
  openFromAddress(hash: string): void {
    const place = placeOfHash(hash) || firstRoom;
    if (peerOf(place) === undefined && !this.list.peek().some((room) => room.name === place)) {
      this.keepJoined([...this.joined.peek(), place].slice(-maxJoinedRooms));
    }
    this.current.value = place;
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

  /** Counts what others wrote in a room or a conversation since it was last read, on any device. */
  unread(place: string): number {
    const user = peerOf(place);
    return user === undefined
      ? this.follow(place).reading.count.value
      : (this.mailbox.unread.value.get(user) ?? 0);
  }

  /** Counts what is unread everywhere but in one place. */
  unreadBut(place: string): number {
    const rooms = this.list.value.map(({ name }) => name);
    const talks = this.conversations.list.value.map((talk) => talk.place);
    return [...rooms, ...talks].reduce((sum, other) => sum + (other === place ? 0 : this.unread(other)), 0);
  }

  /** Notes that a place's newest message was seen. */
  markRead(place: string): void {
    const { room, reading } = this.follow(place);
    const last = newest(room.timeline.peek());
    if (last !== undefined && last.offset > (reading.upTo.peek() ?? 0)) reading.advance(last);
  }

  /** Joins the people in the open room, whichever it is. Returns what stops it. */
  startGathering(): () => void {
    return effect(() => {
      const place = this.current.value;
      if (peerOf(place) !== undefined) {
        this.gathering.value = undefined;
        return;
      }
      const gathering = untracked(() => this.connection.gather(place, this.me));
      this.gathering.value = gathering;
      return () => gathering.leave();
    });
  }

  private followRoom(name: string): Followed {
    const leave = new AbortController();
    const channel = this.connection.channel(channelOf(name));
    const room = new Room(name, channel, this.profile.person, loadOutbox(name));
    const reading = new RoomReading(room, this.isFirstVisit);
    const { user } = this.connection;
    void reading.run(user, (who) => this.connection.roomMarks(name, who), leave.signal);
    return { room, reading, leave };
  }

  private followConversation(place: string, user: string): Followed {
    const peer = computed(() => this.conversations.personOf(user));
    const channel = this.mailbox.conversation(user);
    const room = new Room(place, channel, this.profile.person, loadOutbox(place), peer);
    return { room, reading: this.mailbox.reading(user), leave: new AbortController() };
  }

  /** Changes the list, and stops following what is not on it any more. */
  private keepJoined(names: readonly string[]): void {
    this.joined.value = [...names];
    save(localStorage, "rooms", names);
    const isListed = (name: string) => this.list.peek().some((room) => room.name === name);
    for (const [name, { leave }] of this.followed) {
      if (peerOf(name) !== undefined || isListed(name)) continue;
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
