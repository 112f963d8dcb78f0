import type { Member } from "./roster.js";

/** Who is in a channel, with one session or several. */
export interface User<S = unknown> {
  /** What `userOf` said; if that was not given, the user's identity, or the session of an anonymous one. */
  readonly id: string;
  /** The state of the session that said its own last. */
  readonly state: S;
  /** Empty for one who left a moment ago. */
  readonly members: readonly Member<S>[];
}

/** The users that members are of, each once. One whose last session left stays for a while. */
export class Users<S> {
  readonly #userOf: (member: Member<S>) => string;
  readonly #lingerMs: number;
  readonly #changed: () => void;
  readonly #users = new Map<string, User<S>>();
  /** Whose a session is. It may change with the state. */
  readonly #idOf = new Map<string, string>();
  readonly #leaving = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(userOf: (member: Member<S>) => string, lingerMs: number, changed: () => void) {
    this.#userOf = userOf;
    this.#lingerMs = lingerMs;
    this.#changed = changed;
  }

  get list(): readonly User<S>[] {
    return [...this.#users.values()];
  }

  put(member: Member<S>): void {
    const id = this.#userOf(member);
    const before = this.#idOf.get(member.session);
    if (before !== undefined && before !== id) this.#take(before, member.session, 0);
    this.#idOf.set(member.session, id);
    this.#stay(id);
    const others = this.#others(id, member.session);
    this.#users.set(id, { id, state: member.state, members: [...others, member] });
    this.#changed();
  }

  remove({ session }: Member<S>): void {
    const id = this.#idOf.get(session);
    if (id === undefined) return;
    this.#idOf.delete(session);
    this.#take(id, session, this.#lingerMs);
    this.#changed();
  }

  close(): void {
    for (const id of [...this.#leaving.keys()]) this.#stay(id);
  }

  #others(id: string, session: string): Member<S>[] {
    return (this.#users.get(id)?.members ?? []).filter((member) => member.session !== session);
  }

  /** Takes a session from a user, who is gone after a while if it was the last. */
  #take(id: string, session: string, lingerMs: number): void {
    const user = this.#users.get(id) as User<S>;
    const members = this.#others(id, session);
    this.#users.set(id, { id, state: (members.at(-1) ?? user).state, members });
    if (members.length) return;
    if (lingerMs)
      this.#leaving.set(
        id,
        setTimeout(() => this.#gone(id), lingerMs),
      );
    else this.#users.delete(id);
  }

  #stay(id: string): void {
    clearTimeout(this.#leaving.get(id));
    this.#leaving.delete(id);
  }

  #gone(id: string): void {
    this.#leaving.delete(id);
    this.#users.delete(id);
    this.#changed();
  }
}
