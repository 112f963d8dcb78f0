/** What a watchdog does. */
interface Watch {
  /** Ask the other side for a sign of life. */
  ping(): void;
  /** Nothing came in time: the link is dead. */
  dead(): void;
}

/** How long after a wake-up's ping the link is given up, in milliseconds. */
const probeMs = 4_000;
/** A timer that is this late (ms) says that the machine or the page slept. */
const sleptMs = 3_000;

/**
 * Notices a link that is half-open: one that looks fine and carries nothing. It costs one timer for a link, which is
 * set anew when it fires, not when something is heard.
 */
export class Watchdog {
  readonly #watch: Watch;
  readonly #limitMs: number;
  readonly #promised: boolean;
  #heardAt = Date.now();
  #dueAt = 0;
  #probing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Something should be heard every `limitMs`. Where the other side promised that, silence is enough; else it is asked. */
  constructor(limitMs: number, promised: boolean, watch: Watch) {
    this.#limitMs = limitMs;
    this.#promised = promised;
    this.#watch = watch;
    this.#wait(limitMs);
  }

  heard(): void {
    this.#heardAt = Date.now();
    if (!this.#probing) return;
    this.#probing = false;
    this.#wait(this.#limitMs);
  }

  /** Asks for a sign of life and gives up soon if there is none. */
  probe(): void {
    if (this.#probing) return;
    this.#probing = true;
    this.#wait(probeMs);
    this.#watch.ping();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = Date.now() + ms;
    this.#timer = setTimeout(() => this.#fired(), ms);
  }

  #fired(): void {
    const now = Date.now();
    // The clock may have been set back.
    this.#heardAt = Math.min(this.#heardAt, now);
    const left = this.#heardAt + this.#limitMs - now;
    // What arrived during a sleep may not have been handed over yet, so silence proves nothing then.
    const slept = now - this.#dueAt > sleptMs;
    if (slept) this.#probing = false;
    if (left > 0 && !this.#probing) this.#wait(left);
    else if (slept || !(this.#probing || this.#promised)) this.probe();
    else this.#watch.dead();
  }
}
