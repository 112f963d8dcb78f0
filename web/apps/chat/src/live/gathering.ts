import type { Client } from "@earshot/client";
import { type MapSubscription, map } from "@earshot/client/map";
import { presence, type Roster } from "@earshot/client/presence";
import { type Typing, typing } from "@earshot/client/typing";
import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { readPerson } from "../model/message";
import { isUser, type Person } from "../model/person";
import { channelOf, typingMapOf } from "../model/rooms";

/** Who else is in the open room, and what they are about to say. */
export interface Gathering {
  /** Everyone who has the room open, each once; empty until that is known. */
  readonly people: ReadonlySignal<readonly Person[]>;
  /** Others who are writing. */
  readonly writers: ReadonlySignal<readonly Person[]>;
  /** The person at this page writes, or does not any more. */
  writing(on: boolean): void;
  /** The room is not open any more. */
  leave(): void;
}

/** The person at this page; undefined while they have not chosen a name. */
export type Me = ReadonlySignal<Person | undefined>;

/** How long somebody who left is still shown: as long as a page takes to come back after the server was restarted. */
const lingerMS = 5_000;

/** Joins the people in a room. */
export function gather(es: Client, room: string, me: Me): Gathering {
  const people = signal<readonly Person[]>([]);
  const writers = signal<readonly Person[]>([]);
  const here = presence<unknown>(es, channelOf(room));
  const roster = here.watch({ linger: lingerMS, userOf: ({ state, user }) => readPerson(state, user).id });
  const notes = map<unknown>(es, typingMapOf(room)).subscribe();
  const leave = join(es, room, me);
  followPeople(roster, (all) => (people.value = all));
  followWriters(notes, me, (all) => (writers.value = all));
  let mine: Typing<Person> | undefined;
  return {
    people,
    writers,
    writing(on) {
      const person = me.peek();
      if (person === undefined) return;
      mine ??= typing<Person>(es, typingMapOf(room), person.id);
      if (on) mine.touch(person);
      else mine.stop();
    },
    leave() {
      mine?.stop();
      leave();
      roster.close();
      notes.close();
    },
  };
}

/** Says who is here as long as the room is open, and again when they change their name. */
function join(es: Client, room: string, me: Me): () => void {
  const here = presence<Person>(es, channelOf(room));
  let joined = false;
  const forget = effect(() => {
    if (me.value === undefined) return;
    joined = true;
    // A server that refuses has no list of people either; the chat goes on without.
    here.join(me.value).catch(() => {});
  });
  return () => {
    forget();
    if (joined) here.leave().catch(() => {});
  };
}

function followPeople(roster: Roster<unknown>, changed: (people: Person[]) => void): void {
  roster.on("users", (users) =>
    changed(users.map(({ id, state }) => readPerson(state, isUser(id) ? id : undefined))),
  );
}

function followWriters(notes: MapSubscription<unknown>, me: Me, changed: (writers: Person[]) => void): void {
  notes.on("change", () => {
    const others = [...notes.entries.values()].map(({ data, user }) => readPerson(data, user));
    changed(others.filter(({ id }) => id !== me.peek()?.id));
  });
}
