import type { Client } from "./client.js";
import { membershipsOf } from "./membership.js";
import { Roster, type WatchOptions } from "./roster.js";

export type { Member, Roster, RosterEvents, User, WatchOptions } from "./roster.js";

/** Who is in a channel. `S` is what the application says that a state is. */
export class Presence<S = unknown> {
  readonly channel: string;
  readonly #client: Client;

  /** @internal */
  constructor(client: Client, channel: string) {
    this.#client = client;
    this.channel = channel;
  }

  /**
   * Puts this client into the channel, or changes its state. Resolves once that is committed. It is said again after each
   * reconnect, until `leave`. A client is in a channel once, whoever calls this.
   */
  join(state: S, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return membershipsOf(this.#client).join(this.channel, state, options.signal);
  }

  /** Takes this client out of the channel. */
  leave(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return membershipsOf(this.#client).leave(this.channel, options.signal);
  }

  /** Follows who is there. Whoever watches need not be in the channel. */
  watch(options: WatchOptions<S> = {}): Roster<S> {
    return new Roster<S>(this.#client, this.channel, options);
  }
}

/** The presence of a channel by the channel's name. Making one costs nothing and registers nothing. */
export function presence<S = unknown>(es: Client, channel: string): Presence<S> {
  return new Presence<S>(es, channel);
}
