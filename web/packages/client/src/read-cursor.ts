import type { Client } from "./client.js";
import { Emitter } from "./emitter.js";
import type { Publication } from "./events.js";
import { type LiveMap, map } from "./map.js";
import type { MapSubscription } from "./map-subscription.js";

/** A place in a log. A publication is at one. */
export type Place = Pick<Publication, "offset" | "position">;

/** What `readCursor` takes. Every field may be left out. */
export interface ReadCursorOptions {
  /** At least so long between two deliveries of what others have read, in milliseconds. The same for all of a channel. */
  every?: number | undefined;
  /** At least so long between two moves that are said, in milliseconds: 250. Those in between are left out. */
  pause?: number | undefined;
  /** Ends the cursor when it aborts. */
  signal?: AbortSignal | undefined;
}

/** The events of a read cursor. */
export interface ReadCursorEvents {
  /** The cursor of this user moved, or was known for the first time. */
  move: Place;
  /** It ended, with an error if the application did not ask for that. */
  closed: Error | undefined;
}

/** A cursor as the server keeps it. */
interface Kept {
  readonly off: number;
  readonly pos: string;
}

/**
 * How far a user has read a channel, on whichever device: kept by the server, which lets it only go up. After the log began
 * anew it may still name a place of the log that is no more; `unread` takes care of that. It lasts until it is closed.
 */
export class ReadCursor {
  readonly channel: string;
  readonly user: string;
  readonly #map: LiveMap<Kept>;
  readonly #sub: MapSubscription<Kept>;
  readonly #emitter = new Emitter<ReadCursorEvents>();
  readonly #pauseMs: number;
  #saidAt = 0;
  #wanted: Place | undefined;
  #working: Promise<void> | undefined;

  /** @internal */
  constructor(client: Client, channel: string, user: string, { pause = 250, ...options }: ReadCursorOptions) {
    this.channel = channel;
    this.user = user;
    this.#pauseMs = pause;
    this.#map = map<Kept>(client, `read:${channel}`);
    this.#sub = this.#map.subscribe(options);
    this.#sub.on("change", ({ key }) => key === user && this.place && this.#emitter.emit("move", this.place));
    this.#sub.on("closed", (error) => {
      this.#emitter.emit("closed", error);
      this.#emitter.clear();
    });
  }

  /** Where the server has this user; undefined before that is known, and for one who has read nothing. */
  get place(): Place | undefined {
    return this.placeOf(this.user);
  }

  /** Where the server has another user of the channel. */
  placeOf(user: string): Place | undefined {
    const kept = this.#sub.entries.get(user)?.data;
    return kept && { offset: kept.off, position: kept.pos };
  }

  /** Whether the server has told where everyone is. */
  get isSynced(): boolean {
    return this.#sub.isSynced;
  }

  /** Resolves when the server has told where everyone is. Rejects if the cursor ends before. */
  synced(signal?: AbortSignal): Promise<void> {
    return this.#sub.synced(signal);
  }

  /**
   * Says that everything up to a publication was read. Resolves once that is committed, or known to be behind what another
   * device said. Of several calls at once only the last is said.
   */
  advance({ offset, position }: Place): Promise<void> {
    this.#wanted = { offset, position };
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  /** Calls `listener` until the returned function is called. */
  on<K extends keyof ReadCursorEvents>(type: K, listener: (event: ReadCursorEvents[K]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  /** Ends the cursor: nothing is told any more. What was said is still sent. */
  close(): void {
    this.#sub.close();
  }

  async #work(): Promise<void> {
    for (let said: Place | undefined; said !== this.#wanted; ) {
      const early = this.#saidAt + this.#pauseMs - Date.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(early, this.#pauseMs)));
      this.#saidAt = Date.now();
      said = this.#wanted as Place;
      await this.#map.set(this.user, { off: said.offset, pos: said.position });
    }
  }
}

/** The read cursor of `user`, who must be the one that the server knows this client as, in a log or an inbox. */
export function readCursor(
  es: Client,
  channel: string,
  user: string,
  options: ReadCursorOptions = {},
): ReadCursor {
  return new ReadCursor(es, channel, user, options);
}
