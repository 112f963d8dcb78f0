import type { MapSubscription } from "./map-subscription.js";

/** How far somebody has read: a number under a key of a map that only grows, whichever device says it. */
export class ReadCursor {
  readonly #sub: MapSubscription<number>;
  readonly #key: string;
  #wanted = Number.NEGATIVE_INFINITY;
  #working: Promise<void> | undefined;

  /** @internal */
  constructor(sub: MapSubscription<number>, key: string) {
    this.#sub = sub;
    this.#key = key;
  }

  /** As the map has it; undefined if it does not. */
  get value(): number | undefined {
    return this.#sub.entries.get(this.#key)?.data;
  }

  /** Moves the cursor on, never back. Resolves once that is committed. Of several moves at once only the last is said. */
  advance(to: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, to);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #work(): Promise<void> {
    let said: number;
    do {
      said = this.#wanted;
      await this.#sub.update(this.#key, (now) => (now === undefined || now < said ? said : undefined));
    } while (said < this.#wanted);
  }
}

/**
 * A read cursor under `key` of the map that `sub` follows. What it counts must only grow over time: the `time` of a
 * publication does, its offset only as long as the log does not begin anew.
 */
export function readCursor(sub: MapSubscription<number>, key: string): ReadCursor {
  return new ReadCursor(sub, key);
}
