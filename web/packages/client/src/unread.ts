import type { Client } from "./client.js";
import { Emitter } from "./emitter.js";
import type { Publication } from "./events.js";
import { type Place, type ReadCursor, readCursor } from "./read-cursor.js";
import type { Subscription } from "./subscription.js";

/** What `unread` takes. Every field may be left out. */
export interface UnreadOptions {
  /** The newest publications that are looked at: 100. That many unread ones are counted at most. */
  limit?: number | undefined;
  /** As of a read cursor. */
  every?: number | undefined;
}

/** The events of a count. */
export interface UnreadEvents {
  /** `count` or `upTo` changed. */
  change: undefined;
  /** It ended, with an error if the application did not ask for that. */
  closed: Error | undefined;
}

interface Seen extends Place {
  readonly mine: boolean;
}

/**
 * How many publications of a log its user has not read, alike on all of their devices: those after the read cursor that the
 * user did not publish. It lasts until it is closed.
 */
export class Unread {
  readonly #cursor: ReadCursor;
  readonly #log: Subscription<unknown>;
  readonly #client: Client;
  readonly #limit: number;
  readonly #emitter = new Emitter<UnreadEvents>();
  /** The newest publications, oldest first. */
  #newest: Seen[] = [];
  /** Up to where this client itself said that it was read, in the log as it is now. */
  #said = 0;
  /** The position of a cursor that is of a log that is no more. */
  #stale: string | undefined;
  /** The position that the server was asked about. */
  #asked: string | undefined;
  #told: string | undefined;
  #closed = false;

  /** @internal */
  constructor(client: Client, channel: string, user: string, { limit = 100, every }: UnreadOptions) {
    this.#client = client;
    this.#limit = limit;
    this.#cursor = readCursor(client, channel, user, { every });
    this.#log = client.channel(channel).subscribe({ last: limit });
    this.#log.on("reset", () => this.#reset());
    this.#log.on("publication", (publication) => this.#arrived(publication));
    this.#log.on("closed", (error) => this.#finish(error));
    this.#cursor.on("move", () => this.#look());
    this.#cursor.on("closed", (error) => this.#finish(error));
    this.#cursor.synced().then(
      () => this.#look(),
      () => {},
    );
  }

  /** How many are unread: 0 as long as the read cursor is not known. */
  get count(): number {
    const { upTo } = this;
    if (upTo === undefined) return 0;
    return this.#newest.filter(({ offset, mine }) => !mine && offset > upTo).length;
  }

  /** The offset up to which the log, as it is now, was read; 0 for nothing, undefined as long as that is not known. */
  get upTo(): number | undefined {
    if (!this.#cursor.isSynced) return undefined;
    const place = this.#cursor.place;
    return Math.max(this.#said, place && this.#joins(place) ? place.offset : 0);
  }

  /** Whether this user has read something of the log before, on any device. */
  get hasCursor(): boolean {
    return this.#cursor.place !== undefined;
  }

  /** Says that everything up to a publication was read. It counts at once; resolves as `ReadCursor.advance` does. */
  async advance({ offset, position }: Place): Promise<void> {
    if (offset <= (this.upTo ?? 0)) return;
    this.#said = offset;
    this.#look();
    await this.#cursor.advance({ offset, position });
  }

  /** Calls `listener` until the returned function is called. */
  on<K extends keyof UnreadEvents>(type: K, listener: (event: UnreadEvents[K]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  /** Ends the count: nothing is told any more. */
  close(): void {
    this.#finish(undefined);
  }

  #arrived({ offset, position, user }: Publication): void {
    this.#newest.push({ offset, position, mine: user === this.#cursor.user });
    if (this.#newest.length > this.#limit) this.#newest.shift();
    this.#look();
  }

  /** What was counted and what comes do not join: the newest come again. */
  #reset(): void {
    this.#newest = [];
    this.#said = 0;
    this.#asked = undefined;
    this.#look();
  }

  /** Whether a cursor is of the log as it is now, as far as that is known. */
  #joins(place: Place): boolean {
    if (place.position === this.#stale) return false;
    const there = this.#newest.find(({ offset }) => offset === place.offset);
    return !there || there.position === place.position;
  }

  #look(): void {
    const state = `${this.count} ${this.upTo}`;
    if (state !== this.#told) {
      this.#told = state;
      this.#emitter.emit("change", undefined);
    }
    // Not before everything that came together is here.
    queueMicrotask(() => this.#doubt());
  }

  /** A cursor beyond the newest publication is either ahead of it, or of a log that is no more: the server knows. */
  #doubt(): void {
    const place = this.#cursor.place;
    const last = this.#newest.at(-1);
    if (this.#closed || !place || !last || place.offset <= last.offset || this.#asked === place.position)
      return;
    this.#asked = place.position;
    this.#client.history(this.#log.channel, { since: place.position, limit: 1 }).then(
      ({ complete }) => {
        if (complete) return;
        this.#stale = place.position;
        this.#look();
      },
      // Without an answer it counts as read.
      () => {},
    );
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cursor.close();
    this.#log.close();
    this.#emitter.emit("closed", error);
    this.#emitter.clear();
  }
}

/** Counts what `user`, who must be the one that the server knows this client as, has not read of a log or an inbox. */
export function unread(es: Client, channel: string, user: string, options: UnreadOptions = {}): Unread {
  return new Unread(es, channel, user, options);
}
