import { computed, type ReadonlySignal } from "@preact/signals";
import { type Letter, newestLetters } from "../model/mail";
import { type Message, readMessage, readPerson } from "../model/message";
import { hueOf, type Person } from "../model/person";
import { peerOf, placeOf } from "../model/rooms";
import type { Crowd } from "./crowd";
import type { Mailbox } from "./mailbox";

/** A conversation as it is listed. */
export interface Talk {
  readonly place: string;
  readonly peer: Person;
  /** Undefined before anything was said. */
  readonly newest: Message | undefined;
}

/** The conversations with one person each, and who those are. */
export class Conversations {
  private readonly letters = computed(() => newestLetters(this.mailbox.mail.value));
  private readonly known = computed(
    () => new Map(this.letters.value.map((each) => [each.peer, peerIn(each)])),
  );
  private readonly present = computed(() => new Map(this.online.value.map((person) => [person.id, person])));

  /** The conversations, the newest first; above them the open one if nothing was said in it yet. */
  readonly list: ReadonlySignal<readonly Talk[]> = computed(() => {
    const talks = this.letters.value.map((letter) => this.talk(letter.peer, readMessage(letter.received)));
    const open = peerOf(this.current.value);
    if (open === undefined || this.known.value.has(open)) return talks;
    return [this.talk(open, undefined), ...talks];
  });

  constructor(
    private readonly mailbox: Pick<Mailbox, "mail">,
    /** Everyone who has the page open, this person too. */
    readonly online: Crowd,
    private readonly current: ReadonlySignal<string>,
  ) {}

  /** Returns who a user is: as they say now, or as the newest letter between them and this person says. */
  personOf(user: string): Person {
    const person = this.present.value.get(user) ?? this.known.value.get(user);
    return person ?? { id: user, name: "Somebody", hue: hueOf(user) };
  }

  isOnline(user: string): boolean {
    return this.present.value.has(user);
  }

  private talk(user: string, newest: Message | undefined): Talk {
    return { place: placeOf(user), peer: this.personOf(user), newest };
  }
}

function peerIn({ mine, peer, received: { data } }: Letter): Person {
  const said = typeof data === "object" && data !== null ? (data as { from?: unknown; to?: unknown }) : {};
  return readPerson(mine ? said.to : said.from, peer);
}
