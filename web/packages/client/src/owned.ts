import type { Client } from "./client.js";
import { codeVersionMismatch, EarshotError } from "./errors.js";
import type { ClientFrames, DataBody } from "./frames.js";
import { once, type Part } from "./part.js";
import { randomText } from "./random.js";

/** A key of a map. */
export interface KeyName {
  readonly channel: string;
  readonly key: string;
}

/** A key that the session owns, as it was set. */
export interface OwnedKey extends KeyName {
  readonly value: DataBody;
  /** It was set under a condition: nobody else's value may be overwritten. */
  readonly guarded: boolean;
  readonly version: number;
  /** When its time is over, in milliseconds since 1970; Infinity if it has none. */
  readonly until: number;
}

/** The keys that a client owns. The server deletes them while the client is away, so they are set again when it is back. */
class OwnedKeys implements Part {
  readonly #client: Client;
  readonly #keys = new Map<string, OwnedKey>();
  /** The names of those that are being set again. */
  readonly #renewing = new Set<string>();
  /** How many changes of a key the application waits for. */
  readonly #changing = new Map<string, number>();
  /** Those that were not set again because of such a change. */
  readonly #missed = new Set<string>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Notes a key that was set; with `takeOver`, perhaps by an earlier session. */
  add(owned: OwnedKey, takeOver: boolean): void {
    const name = nameOf(owned);
    this.#keys.set(name, owned);
    this.#missed.delete(name);
    if (takeOver) void this.#renew(name, true);
  }

  delete(key: KeyName): void {
    this.#keys.delete(nameOf(key));
  }

  /** Makes a change of a key, which has the last word about it: until it is answered the key is not set again. */
  async changing<T>(key: KeyName, change: () => Promise<T>): Promise<T> {
    const name = nameOf(key);
    this.#changing.set(name, (this.#changing.get(name) ?? 0) + 1);
    try {
      return await change();
    } finally {
      const left = (this.#changing.get(name) ?? 0) - 1;
      if (left) this.#changing.set(name, left);
      else this.#changing.delete(name);
      if (!left && this.#missed.delete(name)) void this.#renew(name, false);
    }
  }

  opened(): void {
    for (const name of [...this.#keys.keys()]) {
      if (this.#changing.has(name)) this.#missed.add(name);
      else void this.#renew(name, false);
    }
  }

  down(): void {}

  close(): void {
    this.#keys.clear();
  }

  /**
   * Sets a key again. With `takeOver` also if it is there, because it belongs to an earlier session and will vanish with
   * that; what somebody else set meanwhile is then overwritten, unless the key was set under a condition.
   */
  async #renew(name: string, takeOver: boolean): Promise<void> {
    if (this.#renewing.has(name)) return;
    this.#renewing.add(name);
    let session: string | undefined;
    for (let owned = this.#keys.get(name); owned && session !== this.#session; owned = this.#keys.get(name)) {
      session = this.#session;
      await this.#renewOnce(owned, takeOver);
    }
    this.#renewing.delete(name);
  }

  /** The session that is open. */
  get #session(): string {
    const { state } = this.#client;
    return state.name === "open" ? state.session : "";
  }

  async #renewOnce(owned: OwnedKey, takeOver: boolean): Promise<void> {
    const { state } = this.#client;
    // A session that goes on may have lost its keys to the grace, or not.
    const onlyMissing = state.name === "open" && state.resumed && !takeOver;
    const conditions = onlyMissing ? [0] : owned.guarded ? [owned.version, 0] : [undefined];
    try {
      for (const condition of conditions) if (await this.#set(owned, condition)) return;
      if (!onlyMissing)
        this.#lost(owned, new EarshotError(codeVersionMismatch, "an owned key was taken", mismatch));
    } catch (error) {
      this.#lost(owned, error as EarshotError);
    }
  }

  /** Reports whether nothing is left to do. */
  async #set(owned: OwnedKey, condition: number | undefined): Promise<boolean> {
    const { channel: ch, key, value, until } = owned;
    const left = until - Date.now();
    if (!this.#has(owned)) return true;
    if (left <= 0) return this.#keys.delete(nameOf(owned));
    const body: ClientFrames["set"] = { ch, key, ...value, own: true, idem: randomText() };
    if (condition !== undefined) body.if = condition;
    if (Number.isFinite(left)) body.ttl_ms = left;
    try {
      const { offset: version } = await this.#client.commit("set", body);
      if (this.#has(owned)) this.#keys.set(nameOf(owned), { ...owned, version });
      return true;
    } catch (error) {
      if (error instanceof EarshotError && error.code === codeVersionMismatch) return false;
      throw error;
    }
  }

  /** Whether that is how the key was set last. */
  #has(owned: OwnedKey): boolean {
    return this.#keys.get(nameOf(owned)) === owned;
  }

  #lost(owned: OwnedKey, error: EarshotError): void {
    if (!this.#has(owned)) return;
    this.#keys.delete(nameOf(owned));
    this.#client.report(error);
  }
}

const mismatch = "version_mismatch";

const nameOf = ({ channel, key }: KeyName) => JSON.stringify([channel, key]);

/** The keys that a client owns. */
export const ownedBy = once((client: Client) => client.attach(() => new OwnedKeys(client)));
