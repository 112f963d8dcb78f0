import type { Client } from "@earshot/client";
import { type Member, presence } from "@earshot/client/presence";
import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { readPerson } from "../model/message";
import { isUser, type Person, unverifiedID } from "../model/person";

/** Everyone who has the page open, whichever room they are in, each once. */
export type Crowd = ReadonlySignal<readonly Person[]>;

/** The channel in which all pages are present. */
const everywhere = "people:all";

/** How long somebody who left is still shown: as long as a page takes to come back after the server was restarted. */
const lingerMS = 5_000;

/** Joins the people who are online, from when the person has a name until the page is closed. */
export function joinCrowd(es: Client, me: ReadonlySignal<Person | undefined>): Crowd {
  const people = signal<readonly Person[]>([]);
  const here = presence<unknown>(es, everywhere);
  const userOf = ({ user, session }: Member) => user || unverifiedID(session);
  here.watch({ linger: lingerMS, userOf }).on("users", (users) => {
    people.value = users.filter(({ id }) => isUser(id)).map(({ id, state }) => readPerson(state, id));
  });
  effect(() => {
    // A server that refuses has no list of people either; the chat goes on without.
    if (me.value !== undefined) here.join(me.value).catch(() => {});
  });
  return people;
}
