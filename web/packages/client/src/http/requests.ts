import { backoff } from "../backoff.js";

/** What went wrong with a conversation, as a close code and words. */
export interface End {
  code: number;
  reason: string;
}

/** The conversation is over; the client opens another and resumes. */
export const lost = (reason: string): End => ({ code: 1006, reason });

/** After so long without an answer, opening anew is better than asking on, even where the server would still know us. */
const patienceMs = 10_000;
const pauseBounds = { min: 100, max: 3_000 };
const broken = 1009; // RFC 6455 section 7.4.1: message too big

/** Sends requests of one conversation, and the same again while that may help. */
export class Requests {
  readonly #aborter = new AbortController();
  readonly #patienceMs: number;
  #answeredAt = Date.now();

  /** The server forgets the conversation when it has heard nothing for `lingerMs`. */
  constructor(lingerMs: number) {
    this.#patienceMs = Math.min(lingerMs, patienceMs);
  }

  get over(): boolean {
    return this.#aborter.signal.aborted;
  }

  /** Ends all that is under way. */
  stop(): void {
    this.#aborter.abort();
  }

  /** Sends one request; `take` reads the answer. Aborts when `patience` is over; `take` may make that longer. */
  async send<T>(
    url: string,
    init: RequestInit,
    patience: Patience,
    take: (answer: Response) => Promise<T>,
  ): Promise<T> {
    const stop = () => patience.end();
    this.#aborter.signal.addEventListener("abort", stop);
    if (this.over) stop();
    try {
      const answer = await request(url, { ...init, signal: patience.signal });
      if (answer.status < 500 && answer.status !== 408) this.#answeredAt = Date.now();
      return await take(answer);
    } finally {
      patience.end();
      this.#aborter.signal.removeEventListener("abort", stop);
    }
  }

  /** Waits before another attempt. False: too late for one. */
  async pause(failures: number): Promise<boolean> {
    await delay(backoff(failures, pauseBounds), this.#aborter.signal);
    return !this.over && Date.now() - this.#answeredAt < this.#patienceMs;
  }

  /** Waits, or until the conversation is over. */
  async rest(ms: number): Promise<void> {
    await delay(ms, this.#aborter.signal);
  }
}

/** What a status says of the conversation: undefined if the same request may be sent again. */
export function endOf(status: number): End | undefined {
  if (status >= 500 || status === 408) return undefined;
  return status === 413 ? { code: broken, reason: "too large" } : lost(`status ${status}`);
}

/** How long a request may say nothing. */
export class Patience {
  readonly #ms: number;
  readonly #aborter = new AbortController();
  #timer: ReturnType<typeof setTimeout>;

  constructor(ms: number) {
    this.#ms = ms;
    this.#timer = setTimeout(() => this.end(), ms);
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Begins anew: something was heard. */
  renew(ms = this.#ms): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#aborter.abort();
  }
}

/** Sends a request with cookies, as a WebSocket does. Nothing in it needs a preflight. */
export const request = (url: string, init: RequestInit): Promise<Response> =>
  fetch(url, { ...init, credentials: "include", cache: "no-store", redirect: "error" });

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
