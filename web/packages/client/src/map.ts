import type { Client } from "./client.js";
import type { Receipt } from "./events.js";
import type { ClientFrames } from "./frames.js";
import { type MapSubscribeOptions, MapSubscription } from "./map-subscription.js";
import { ownedBy } from "./owned.js";
import { dataBody } from "./publisher.js";
import { randomText } from "./random.js";

export type { Change, Entry } from "./copy.js";
export type { MapEvents, MapSubscribeOptions, MapSubscription, UpdateOptions } from "./map-subscription.js";

/** What `delete` takes. Every field may be left out. */
export interface DeleteOptions {
  /** The version that the key must have, 0 for no such key; otherwise it is the error `version_mismatch`. */
  if?: number | undefined;
  /** The idempotency id: makes a retry by the application harmless. One is made if there is none. */
  idem?: string | undefined;
  /** Gives up waiting. What was sent already may be committed all the same. */
  signal?: AbortSignal | undefined;
}

/** What `set` takes. Every field may be left out. */
export interface SetOptions extends DeleteOptions {
  /** How long after this the key is deleted, in milliseconds, unless it is set again. */
  ttl?: number | undefined;
  /**
   * The key is deleted when this client is gone for more than a moment. If it comes back later it sets the key again, unless
   * it was set under a condition and somebody else has it now: then the client tells of an error.
   */
  own?: boolean | undefined;
}

/** A channel that keeps the last value of each key. `T` is what the application says its values are. */
export class LiveMap<T = unknown> {
  readonly name: string;
  readonly #client: Client;

  /** @internal */
  constructor(client: Client, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** Follows the map: its keys as they are, and then their changes. All subscriptions of a map share one copy of it. */
  subscribe(options: MapSubscribeOptions = {}): MapSubscription<T> {
    return new MapSubscription<T>(this.#client, this, options);
  }

  /**
   * Gives a key a value: a JSON value, or a `Uint8Array` as bytes. Resolves once that is committed; the receipt's offset
   * is the version that the key then has. Like a publish it is sent again until it is answered, and happens at most once.
   */
  async set(key: string, data: T, options: SetOptions = {}): Promise<Receipt> {
    const { ttl, own } = options;
    const value = dataBody(data);
    const body: ClientFrames["set"] = { ...this.#body(key, options), ...value };
    if (ttl) body.ttl_ms = ttl;
    if (own) body.own = true;
    return ownedBy(this.#client).changing({ channel: this.name, key }, async () => {
      const receipt = await this.#client.commit("set", body, options.signal);
      this.#note(key, receipt, value, options);
      return receipt;
    });
  }

  /** Deletes a key. Resolves once that is committed. */
  async delete(key: string, options: DeleteOptions = {}): Promise<Receipt> {
    const owned = ownedBy(this.#client);
    const name = { channel: this.name, key };
    // At once, or a reconnect before the answer would set the key again; and then, for a set that was on its way.
    if (options.if === undefined) owned.delete(name);
    return owned.changing(name, async () => {
      const receipt = await this.#client.commit("del", this.#body(key, options), options.signal);
      owned.delete(name);
      return receipt;
    });
  }

  #body(key: string, { if: version, idem }: DeleteOptions): ClientFrames["del"] {
    return { ch: this.name, key, ...(version !== undefined && { if: version }), idem: idem ?? randomText() };
  }

  /** Notes whose the key is now. */
  #note(
    key: string,
    { offset: version, duplicate }: Receipt,
    value: ReturnType<typeof dataBody>,
    options: SetOptions,
  ): void {
    const { ttl, own, if: condition } = options;
    const keys = ownedBy(this.#client);
    if (!own) return keys.delete({ channel: this.name, key });
    const until = ttl ? Date.now() + ttl : Number.POSITIVE_INFINITY;
    const owned = { channel: this.name, key, value, version, until, guarded: condition !== undefined };
    // The attempt that was committed may have been an earlier session's.
    keys.add(owned, duplicate);
  }
}

/** A map by its name. Making one costs nothing and registers nothing. */
export function map<T = unknown>(es: Client, name: string): LiveMap<T> {
  return new LiveMap<T>(es, name);
}
