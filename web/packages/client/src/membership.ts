import type { Client } from "./client.js";
import type { EarshotError } from "./errors.js";
import { once, type Part } from "./part.js";
import { dataBody } from "./publisher.js";

interface Membership {
  readonly state: unknown;
  /** It was said on the link that is open now, or is on its way. */
  underWay: boolean;
}

/** The channels that a client is present in, said again on each new link. */
class Memberships implements Part {
  readonly #client: Client;
  readonly #of = new Map<string, Membership>();

  constructor(client: Client) {
    this.#client = client;
  }

  async join(channel: string, state: unknown, signal?: AbortSignal): Promise<void> {
    const before = this.#of.get(channel);
    const membership = { state, underWay: true };
    this.#of.set(channel, membership);
    try {
      await this.#client.commit("join", { ch: channel, ...dataBody(state) }, signal);
    } catch (error) {
      if (this.#of.get(channel) === membership) this.#restore(channel, before);
      throw error;
    } finally {
      membership.underWay = false;
    }
  }

  async leave(channel: string, signal?: AbortSignal): Promise<void> {
    this.#of.delete(channel);
    await this.#client.commit("leave", { ch: channel }, signal);
  }

  opened(): void {
    for (const [channel, { state, underWay }] of [...this.#of]) {
      // What has no answer yet is sent again anyway.
      if (underWay) continue;
      this.join(channel, state).catch((error: EarshotError) => {
        if (this.#of.has(channel)) this.#client.report(error);
      });
    }
  }

  down(): void {}

  close(): void {
    this.#of.clear();
  }

  #restore(channel: string, before: Membership | undefined): void {
    if (before) this.#of.set(channel, before);
    else this.#of.delete(channel);
  }
}

/** The channels that a client is present in. */
export const membershipsOf = once((client: Client) => client.attach(() => new Memberships(client)));
