import type { Client } from "./client.js";
import { ClientCode, EarshotError } from "./errors.js";
import type { Publication, ResetEvent } from "./events.js";
import type { Reader } from "./feed.js";
import { once } from "./part.js";
import type { Delivery } from "./queue.js";

/** What a map has under a key. */
export interface Entry<T = unknown> {
  readonly data: T;
  /** Only goes up, also when the key was deleted in between. */
  readonly version: number;
  /** Who set it; empty for an anonymous client. */
  readonly user: string;
  /** When it was set, in milliseconds since 1970. */
  readonly time: number;
}

/** A key that was set, or that is gone: deleted, or its time was over. */
export type Change<T = unknown> =
  | ({ readonly key: string; readonly gone: false } & Entry<T>)
  | ({ readonly key: string; readonly gone: true } & Entry<undefined>);

/** One who is told of what happens in a copy. */
export interface Follower {
  changed(change: Change): void;
  reset(event: ResetEvent): void;
  /** Every key is known. Told again after each reconnect. */
  synced(): void;
  ended(error?: EarshotError): void;
}

/**
 * The client's one live copy of a map, shared by all that follow it there. What it holds is bounded by the map's keys.
 * After a reset the keys come anew; those that did not come are gone once the map is known in whole, and not before, so
 * that a reset is no flicker.
 */
export class Copy implements Reader {
  readonly channel: string;
  readonly everyMs: number;
  readonly entries = new Map<string, Entry>();
  readonly #followers = new Set<Follower>();
  readonly #left: () => void;
  #leave: (() => void) | undefined;
  #position: string | undefined;
  #synced = false;
  /** The keys from before the last reset that were not told since. */
  #stale = new Set<string>();

  /** `left` is called when nobody follows any more. */
  constructor(channel: string, everyMs: number, left: () => void) {
    this.channel = channel;
    this.everyMs = everyMs;
    this.#left = left;
  }

  get position(): string | undefined {
    return this.#position;
  }

  /** Every key is known. */
  get isSynced(): boolean {
    return this.#synced;
  }

  /** Adds a follower. The first makes the copy follow the map. Throws what `Client.follow` throws. */
  add(client: Client, follower: Follower): void {
    this.#followers.add(follower);
    this.#leave ??= client.follow(this.channel, this, this.everyMs);
  }

  remove(follower: Follower): void {
    if (!this.#followers.delete(follower) || this.#followers.size) return;
    this.#left();
    this.#leave?.();
  }

  ready(position: string): void {
    this.#position ??= position;
  }

  offer(delivery: Delivery): void {
    this.#position = delivery.body.position || this.#position;
    if (delivery.kind === "pub") this.#take(delivery.body);
    else if (delivery.kind === "reset") this.#reset(delivery.body);
  }

  moved(position: string, synced: boolean): void {
    this.#position = position;
    if (!synced) return;
    for (const key of this.#stale) this.#remove(key);
    this.#stale.clear();
    this.#synced = true;
    this.#tell((follower) => follower.synced());
  }

  ended(error?: EarshotError): void {
    this.#left();
    this.#tell((follower) => follower.ended(error));
  }

  #take({ key, gone, data, offset: version, user, time }: Publication): void {
    if (key === undefined) return;
    this.#stale.delete(key);
    if (gone) this.entries.delete(key);
    else this.entries.set(key, { data, version, user, time });
    this.#changed(
      gone
        ? { key, gone, data: undefined, version, user, time }
        : { key, gone: false, data, version, user, time },
    );
  }

  #reset(event: ResetEvent): void {
    this.#synced = false;
    this.#stale = new Set(this.entries.keys());
    this.#tell((follower) => follower.reset(event));
  }

  /** A key did not come again after a reset. */
  #remove(key: string): void {
    const was = this.entries.get(key) as Entry;
    this.entries.delete(key);
    this.#changed({ ...was, key, gone: true, data: undefined });
  }

  #changed(change: Change): void {
    this.#tell((follower) => follower.changed(change));
  }

  #tell(what: (follower: Follower) => void): void {
    for (const follower of [...this.#followers]) if (this.#followers.has(follower)) what(follower);
  }
}

const copiesOf = once((_: Client) => new Map<string, Copy>());

/** Has `follower` follow a map in the client's copy of it. Throws if that is not possible. */
export function followMap(client: Client, channel: string, everyMs: number, follower: Follower): Copy {
  const copies = copiesOf(client);
  const left = () => void (copies.get(channel) === copy && copies.delete(channel));
  const copy: Copy = copies.get(channel) ?? new Copy(channel, everyMs, left);
  if (copy.everyMs !== everyMs)
    throw new EarshotError(ClientCode.badUse, "every must be the same for all subscriptions of a map");
  copy.add(client, follower);
  copies.set(channel, copy);
  return copy;
}
