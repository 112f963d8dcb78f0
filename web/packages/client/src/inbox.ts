import type { Channel } from "./channel.js";
import type { Client } from "./client.js";
import type { Publication, Receipt } from "./events.js";
import { bodyText, publishBody } from "./publisher.js";
import { randomText } from "./random.js";

/** What `inbox` takes. Every field may be left out. */
export interface InboxOptions {
  /** The namespace of the inboxes: `inbox`. */
  namespace?: string | undefined;
}

/** What `send` takes. Every field may be left out. */
export interface SendOptions {
  /** The idempotency id, of at most 120 bytes: makes a retry by the application harmless. One is made if there is none. */
  idem?: string | undefined;
  /** The event's name: `message` if left out. */
  event?: string | undefined;
  /** Gives up waiting. What was sent already may be committed all the same. */
  signal?: AbortSignal | undefined;
}

/** Between whom a message is, as the server says: nobody can publish in another's name. */
export interface Parties {
  /** The other one: who sent it, or, if this user did, to whom. Empty for an anonymous sender. */
  readonly peer: string;
  /** This user sent it, from whichever device. */
  readonly mine: boolean;
}

/** The tag that names the recipient in the sender's own copy of a message. */
const toTag = "to";

/** A user's own inbox, and the way into those of others. `T` is what the application says that messages are. */
export class Inbox<T = unknown> {
  readonly user: string;
  /** The inbox as a log: what others sent, and copies of what this user sent. Nobody else can read it. */
  readonly log: Channel<T>;
  readonly #client: Client;
  readonly #namespace: string;

  /** @internal */
  constructor(client: Client, user: string, { namespace = "inbox" }: InboxOptions) {
    this.user = user;
    this.#client = client;
    this.#namespace = namespace;
    this.log = this.#of(user);
  }

  /**
   * Sends a message to a user, and then a copy of it to this user's own inbox, so that all of their devices have it.
   * Resolves with the receipt of the first once both are committed. Each is sent again across broken connections, and
   * happens at most once. If the page ends or the second fails, the same `send` with the same `idem` makes up for it.
   */
  async send(
    to: string,
    data: T,
    { idem = randomText(), event, signal }: SendOptions = {},
  ): Promise<Receipt> {
    const kept = { event, signal, tags: { [toTag]: to } };
    if (to === this.user) return this.log.publish(data, { ...kept, idem });
    const copy = { ...kept, idem: `${idem}.copy` };
    // The copy is longer: that it is too long must be known before the message is out.
    bodyText(publishBody(this.log.name, data, copy));
    const receipt = await this.#of(to).publish(data, { event, idem, signal });
    await this.log.publish(data, copy);
    return receipt;
  }

  /** Says between whom a message of `log` is. */
  partiesOf({ user, tags }: Pick<Publication, "user" | "tags">): Parties {
    const mine = user === this.user;
    return { mine, peer: mine ? (tags[toTag] ?? user) : user };
  }

  #of(user: string): Channel<T> {
    return this.#client.channel<T>(`${this.#namespace}:${user}`);
  }
}

/** The inbox of `user`, who must be the one that the server knows this client as. Making one registers nothing. */
export function inbox<T = unknown>(es: Client, user: string, options: InboxOptions = {}): Inbox<T> {
  return new Inbox<T>(es, user, options);
}
