import type { Client } from "./client.js";
import { type Change, type Copy, type Entry, followMap } from "./copy.js";
import { call, Emitter } from "./emitter.js";
import { ClientCode, codeVersionMismatch, EarshotError } from "./errors.js";
import type { Receipt, ResetEvent } from "./events.js";
import type { LiveMap, SetOptions } from "./map.js";
import { Waiting } from "./waiting.js";

/** What `subscribe` takes. Every field may be left out. */
export interface MapSubscribeOptions {
  /** At least so long between two deliveries, in milliseconds. It must be the same for all subscriptions of a map. */
  every?: number | undefined;
  /** Told that the keys come anew. Nothing needs to be done: those that do not come are told to be gone. */
  onReset?: (event: ResetEvent) => void;
  /** Ends the subscription when it aborts. */
  signal?: AbortSignal | undefined;
}

/** The events of a map's subscription. */
export interface MapEvents<T> {
  change: Change<T>;
  reset: ResetEvent;
  /** Every key is known: once after the start, and once after each reset. */
  synced: undefined;
  /** It ended, with an error if the application did not ask for that. */
  closed: Error | undefined;
}

/** What `update` takes: as `set`, without a condition, which it makes itself. */
export type UpdateOptions = Pick<SetOptions, "ttl" | "own" | "signal">;

interface Waiter<T> {
  resolve(result: IteratorResult<Change<T>, undefined>): void;
  reject(error: unknown): void;
}

/**
 * A live copy of a map, and its changes: to be iterated, or listened to. Who reads slowly gets only the latest of each
 * key, so that what waits is bounded by the map's keys. It lasts until it is closed.
 */
export class MapSubscription<T> implements AsyncIterable<Change<T>> {
  readonly #map: LiveMap<T>;
  readonly #options: MapSubscribeOptions;
  readonly #emitter = new Emitter<MapEvents<T>>();
  readonly #waiting = new Waiting();
  readonly #waiters: Waiter<T>[] = [];
  /** The latest of each key that was not handed over, in the order of their versions. */
  readonly #changes = new Map<string, Change<T>>();
  #copy: Copy | undefined;
  #toldSynced = false;
  /** The copy has ended, with this error if any. */
  #end: { error: EarshotError | undefined } | undefined;
  #closed = false;

  readonly #follower = {
    changed: (change: Change) => this.#changed(change as Change<T>),
    reset: (event: ResetEvent) => this.#reset(event),
    synced: () => this.#serve(),
    ended: (error?: EarshotError) => this.#ended(error),
  };

  /** @internal */
  constructor(client: Client, of: LiveMap<T>, options: MapSubscribeOptions) {
    this.#map = of;
    this.#options = options;
    try {
      this.#copy = followMap(client, of.name, options.every ?? 0, this.#follower);
      for (const [key, entry] of this.entries) this.#changes.set(key, { ...entry, key, gone: false });
    } catch (error) {
      this.#ended(error as EarshotError);
    }
    options.signal?.addEventListener("abort", this.#aborted);
    if (options.signal?.aborted) this.close();
  }

  /** The keys that are known, as they are now. */
  get entries(): ReadonlyMap<string, Entry<T>> {
    return (this.#copy?.entries ?? none) as ReadonlyMap<string, Entry<T>>;
  }

  /** Whether every key is known. Not at first, and not while the keys come anew after a reset. */
  get isSynced(): boolean {
    return this.#copy?.isSynced ?? false;
  }

  /** Resolves when every key is known. Rejects if the subscription ends before. */
  synced(signal?: AbortSignal): Promise<void> {
    return this.#until(() => this.isSynced, signal);
  }

  /**
   * Calls `listener` until the returned function is called. With a listener for `change` the subscription hands over
   * everything at once, the keys that are known first, and cannot be iterated.
   */
  on<K extends keyof MapEvents<T>>(type: K, listener: (event: MapEvents<T>[K]) => void): () => void {
    const off = this.#emitter.on(type, listener);
    // Not at once, so that listeners for other events can be added first.
    queueMicrotask(() => this.#serve());
    return off;
  }

  [Symbol.asyncIterator](): AsyncIterator<Change<T>, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Changes a key's value on the ground of the one that it has, and does so again if somebody else was faster. `change`
   * returns the new value, or undefined to leave it.
   */
  async update(
    key: string,
    change: (data: T | undefined) => T | undefined,
    options: UpdateOptions = {},
  ): Promise<Receipt | undefined> {
    await this.synced(options.signal);
    for (;;) {
      const version = this.#version(key);
      const data = change(this.entries.get(key)?.data);
      if (data === undefined) return undefined;
      try {
        return await this.#map.set(key, data, { ...options, if: version });
      } catch (error) {
        if (!(error instanceof EarshotError) || error.code !== codeVersionMismatch) throw error;
      }
      await this.#until(() => this.#version(key) !== version, options.signal);
    }
  }

  /** Ends the subscription: iterators finish, and nothing is handed over any more. */
  close(): void {
    this.#finish(undefined);
  }

  #version(key: string): number {
    return this.entries.get(key)?.version ?? 0;
  }

  async #until(holds: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed || this.#end) throw this.#end?.error ?? closed();
    await this.#waiting.until(holds, signal);
  }

  #next(): Promise<IteratorResult<Change<T>, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#emitter.has("change"))
        throw new EarshotError(ClientCode.badUse, "a subscription with listeners cannot be iterated");
      this.#waiters.push({ resolve, reject });
      this.#serve();
    });
  }

  readonly #aborted = () => this.close();

  #changed(change: Change<T>): void {
    // Deleted first, so that the order stays that of the versions.
    this.#changes.delete(change.key);
    this.#changes.set(change.key, change);
    this.#serve();
  }

  #reset(event: ResetEvent): void {
    this.#toldSynced = false;
    if (this.#options.onReset) call(this.#options.onReset, event);
    this.#emitter.emit("reset", event);
  }

  #ended(error: EarshotError | undefined): void {
    this.#end = { error };
    this.#waiting.fail(error ?? closed());
    this.#serve();
  }

  /** Hands over what there is, while somebody wants it. */
  #serve(): void {
    this.#waiting.check();
    while (!this.#closed && (this.#waiters.length || this.#emitter.has("change"))) {
      const [next] = this.#changes.values();
      if (next) this.#handOver(next);
      else if (this.#end) this.#finish(this.#end.error);
      else break;
    }
    if (this.#closed) {
      for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
    } else if (this.isSynced) this.#tellSynced();
  }

  #handOver(change: Change<T>): void {
    this.#changes.delete(change.key);
    const waiter = this.#waiters.shift();
    if (waiter) waiter.resolve({ done: false, value: change });
    else this.#emitter.emit("change", change);
  }

  #tellSynced(): void {
    if (this.#toldSynced || !this.#emitter.has("synced")) return;
    this.#toldSynced = true;
    this.#emitter.emit("synced", undefined);
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.signal?.removeEventListener("abort", this.#aborted);
    this.#copy?.remove(this.#follower);
    this.#changes.clear();
    if (error) this.#waiters.shift()?.reject(error);
    this.#waiting.fail(error ?? closed());
    this.#serve();
    this.#emitter.emit("closed", error);
    this.#emitter.clear();
  }
}

const none: ReadonlyMap<string, Entry> = new Map();

const closed = () => new EarshotError(ClientCode.closed, "the subscription was closed");
