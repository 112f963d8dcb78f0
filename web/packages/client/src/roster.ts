import { fromBase64 } from "./bytes.js";
import type { Client } from "./client.js";
import { type Change, type Copy, followMap } from "./copy.js";
import { Emitter } from "./emitter.js";
import { ClientCode, EarshotError } from "./errors.js";
import { type User, Users } from "./users.js";
import { Waiting } from "./waiting.js";

export type { User } from "./users.js";

/** A session that is in a channel. */
export interface Member<S = unknown> {
  /** The session's id, as in the state of its client. Name it as `to` in a call. */
  readonly session: string;
  /** The identity that the application gave; empty for an anonymous client. */
  readonly user: string;
  readonly state: S;
  /** When it joined or said its state, in milliseconds since 1970. */
  readonly since: number;
}

/** What `watch` takes. Every field may be left out. Times are in milliseconds. */
export interface WatchOptions<S = unknown> {
  /** Whose a session is: its `user`, or, if that is empty, the session alone. */
  userOf?: (member: Member<S>) => string;
  /** How long users whose last session left are still counted, so that a reload or a restart is no flicker: 10,000. */
  linger?: number | undefined;
  /** At least so long between two deliveries. It must be the same for all that watch a channel. */
  every?: number | undefined;
  /** Ends the watch when it aborts. */
  signal?: AbortSignal | undefined;
}

/** The events of a roster. */
export interface RosterEvents<S> {
  join: Member<S>;
  /** The state of a session that is there changed. */
  update: Member<S>;
  leave: Member<S>;
  /** `users` changed. Told once everyone is known, and at each change from then on. */
  users: readonly User<S>[];
  /** Everyone who is there is known. */
  synced: undefined;
  /** It ended, with an error if the application did not ask for that. */
  closed: Error | undefined;
}

/** A live copy of who is in a channel: each session, and the users that they are of. It lasts until it is closed. */
export class Roster<S = unknown> {
  readonly #options: WatchOptions<S>;
  readonly #emitter = new Emitter<RosterEvents<S>>();
  readonly #waiting = new Waiting();
  readonly #here = new Map<string, Member<S>>();
  readonly #users: Users<S>;
  #copy: Copy | undefined;
  #closed: { error: Error | undefined } | undefined;

  readonly #follower = {
    changed: (change: Change) => this.#changed(change),
    reset: () => {},
    synced: () => this.#synced(),
    ended: (error?: EarshotError) => this.#finish(error),
  };

  /** @internal */
  constructor(client: Client, channel: string, options: WatchOptions<S>) {
    this.#options = options;
    const userOf = options.userOf ?? (({ user, session }) => user || session);
    this.#users = new Users(userOf, options.linger ?? 10_000, () => this.#tellUsers());
    options.signal?.addEventListener("abort", this.#aborted);
    if (options.signal?.aborted) this.close();
    else this.#follow(client, channel);
  }

  /** The sessions that are there, by their ids. */
  get here(): ReadonlyMap<string, Member<S>> {
    return this.#here;
  }

  /** How many sessions are there. */
  get count(): number {
    return this.#here.size;
  }

  /** Who is there, each once, in the order in which they came. Who left a moment ago is still among them. */
  get users(): readonly User<S>[] {
    return this.#users.list;
  }

  /** Resolves when everyone who is there is known. Rejects if the roster ends before. */
  async synced(signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw this.#reason();
    await this.#waiting.until(() => this.#copy?.isSynced ?? false, signal);
  }

  /** Calls `listener` until the returned function is called. Who is known already is in `here`, and is not told again. */
  on<K extends keyof RosterEvents<S>>(type: K, listener: (event: RosterEvents<S>[K]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  /** Ends the roster: nothing is told any more. */
  close(): void {
    this.#finish(undefined);
  }

  readonly #aborted = () => this.close();

  #follow(client: Client, channel: string): void {
    try {
      this.#copy = followMap(client, `presence:${channel}`, this.#options.every ?? 0, this.#follower);
    } catch (error) {
      // Not at once, so that listeners can be added first.
      queueMicrotask(() => this.#finish(error as EarshotError));
    }
    for (const [key, entry] of this.#copy?.entries ?? []) this.#changed({ ...entry, key, gone: false });
    if (this.#copy?.isSynced) queueMicrotask(() => this.#synced());
  }

  #changed({ key: session, gone, data, time: since }: Change): void {
    const was = this.#here.get(session);
    const member = gone ? undefined : memberOf<S>(session, data, since);
    if (member) this.#put(member, was);
    else if (was) this.#remove(was);
  }

  #put(member: Member<S>, was: Member<S> | undefined): void {
    this.#here.set(member.session, member);
    this.#users.put(member);
    this.#emitter.emit(was ? "update" : "join", member);
  }

  #remove(member: Member<S>): void {
    this.#here.delete(member.session);
    this.#users.remove(member);
    this.#emitter.emit("leave", member);
  }

  /** Not while they come all at once: that would cost the square of their number, and show some of them as gone. */
  #tellUsers(): void {
    if (this.#copy?.isSynced && this.#emitter.has("users")) this.#emitter.emit("users", this.users);
  }

  #synced(): void {
    if (this.#closed) return;
    this.#waiting.check();
    this.#emitter.emit("synced", undefined);
    this.#tellUsers();
  }

  #reason(): Error {
    return this.#closed?.error ?? new EarshotError(ClientCode.closed, "the roster was closed");
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = { error };
    this.#options.signal?.removeEventListener("abort", this.#aborted);
    this.#copy?.remove(this.#follower);
    this.#users.close();
    this.#waiting.fail(this.#reason());
    this.#emitter.emit("closed", error);
    this.#emitter.clear();
  }
}

/** A member as the server's map has it; undefined if that is none. */
function memberOf<S>(session: string, data: unknown, since: number): Member<S> | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { user = "", state = null, b64 } = data as { user?: string; state?: unknown; b64?: string };
  return { session, user, state: (b64 === undefined ? state : fromBase64(b64)) as S, since };
}
