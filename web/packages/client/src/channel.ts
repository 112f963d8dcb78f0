import type { Client } from "./client.js";
import type { Page, Receipt } from "./events.js";
import { type PublishOptions, publishBody } from "./publisher.js";
import type { SubscribeOptions, Subscription } from "./subscription.js";

/** What `history` takes. At most one of `since` and `before`; with neither, the newest publications are read. */
export interface HistoryOptions {
  /** Read on after this position. */
  since?: string | undefined;
  /** Read back from this position. */
  before?: string | undefined;
  /** 1 to 500; 50 if left out. A page may be shorter. */
  limit?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A named stream. Making one costs nothing and registers nothing. `T` is what the application says its data is. */
export class Channel<T = unknown> {
  readonly name: string;
  readonly #client: Client;

  /** @internal */
  constructor(client: Client, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** Starts a subscription. It begins at once and lasts until it is closed, also when nobody reads it. */
  subscribe(options: SubscribeOptions = {}): Subscription<T> {
    return this.#client.subscribe<T>(this.name, options);
  }

  /**
   * Publishes data: a JSON value, or a `Uint8Array` as bytes. Resolves once it is committed. Across broken connections
   * it is sent again under the same idempotency id until it is answered, so it is committed at most once.
   */
  publish(data: T, options: PublishOptions = {}): Promise<Receipt> {
    return this.#client.commit("pub", publishBody(this.name, data, options), options.signal);
  }

  /** Reads a page of the channel's log, waiting for a connection if there is none. */
  history(options: HistoryOptions = {}): Promise<Page<T>> {
    return this.#client.history(this.name, options) as Promise<Page<T>>;
  }
}
