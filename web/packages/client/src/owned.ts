import type { Client } from "./client.js";
import { codeVersionMismatch, EarshotError } from "./errors.js";
import type { ClientFrames, DataBody } from "./frames.js";
import { once, type Part } from "./part.js";
import { randomText } from "./random.js";

/** A key that the session owns, as it was set. */
export interface OwnedKey {
  readonly channel: string;
  readonly key: string;
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

  constructor(client: Client) {
    this.#client = client;
  }

  /** Notes a key that was set; with `takeOver`, perhaps by an earlier session. */
  add(owned: OwnedKey, takeOver: boolean): void {
    this.#keys.set(nameOf(owned), owned);
    if (takeOver) void this.renew(nameOf(owned), true);
  }

  delete(key: Pick<OwnedKey, "channel" | "key">): void {
    this.#keys.delete(nameOf(key));
  }

  opened(): void {
    for (const name of [...this.#keys.keys()]) void this.renew(name, false);
  }

  down(): void {}

  close(): void {
    this.#keys.clear();
  }

  /**
   * Sets a key again. With `takeOver` also if it is there, because it belongs to an earlier session and will vanish with
   * that; what somebody else set meanwhile is then overwritten, unless the key was set under a condition.
   */
  async renew(name: string, takeOver: boolean): Promise<void> {
    if (this.#renewing.has(name)) return;
    this.#renewing.add(name);
    let session: string | undefined;
    while (this.#keys.has(name) && session !== this.#session) {
      session = this.#session;
      await this.#renewOnce(name, takeOver).catch((error) => this.#lost(name, error));
    }
    this.#renewing.delete(name);
  }

  /** The session that is open. */
  get #session(): string {
    const { state } = this.#client;
    return state.name === "open" ? state.session : "";
  }

  async #renewOnce(name: string, takeOver: boolean): Promise<void> {
    const { state } = this.#client;
    // A session that goes on may have lost its keys to the grace, or not.
    const onlyMissing = state.name === "open" && state.resumed && !takeOver;
    const { guarded, version } = this.#keys.get(name) as OwnedKey;
    const conditions = onlyMissing ? [0] : guarded ? [version, 0] : [undefined];
    for (const condition of conditions) if (await this.#set(name, condition)) return;
    if (!onlyMissing)
      throw new EarshotError(codeVersionMismatch, "somebody else has an owned key", "version_mismatch");
  }

  /** Reports whether nothing is left to do. */
  async #set(name: string, condition: number | undefined): Promise<boolean> {
    const owned = this.#keys.get(name);
    const left = (owned?.until ?? 0) - Date.now();
    if (!owned || left <= 0) return this.#keys.delete(name) || true;
    const { channel: ch, key, value } = owned;
    const body: ClientFrames["set"] = { ch, key, ...value, own: true, idem: randomText() };
    if (condition !== undefined) body.if = condition;
    if (Number.isFinite(left)) body.ttl_ms = left;
    try {
      const { offset: version } = await this.#client.commit("set", body);
      if (this.#keys.get(name) === owned) this.#keys.set(name, { ...owned, version });
      return true;
    } catch (error) {
      if (error instanceof EarshotError && error.code === codeVersionMismatch) return false;
      throw error;
    }
  }

  #lost(name: string, error: EarshotError): void {
    if (this.#keys.delete(name)) this.#client.report(error);
  }
}

const nameOf = ({ channel, key }: Pick<OwnedKey, "channel" | "key">) => JSON.stringify([channel, key]);

/** The keys that a client owns. */
export const ownedBy = once((client: Client) => client.attach(() => new OwnedKeys(client)));
