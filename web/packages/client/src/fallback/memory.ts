const prefix = "earshot blocked ";

/** Remembers where WebSocket is blocked: in the browser's storage where there is one, and here in any case. */
export class Memory {
  readonly #forMs: number;
  readonly #here = new Map<string, number>();

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  isBlocked(url: string): boolean {
    const until = Math.max(this.#here.get(originOf(url)) ?? 0, Number(stored(originOf(url))) || 0);
    // An hour is an hour also where a clock was wrong.
    return until > Date.now() && until <= Date.now() + this.#forMs;
  }

  blocked(url: string): void {
    const until = Date.now() + this.#forMs;
    this.#here.set(originOf(url), until);
    store(originOf(url), String(until));
  }

  works(url: string): void {
    this.#here.delete(originOf(url));
    store(originOf(url), undefined);
  }
}

const originOf = (url: string) => url.split("/", 3).join("/");

// A storage may be missing, full or forbidden: then it is remembered for this page only.
function stored(origin: string): string | null | undefined {
  try {
    return globalThis.localStorage?.getItem(prefix + origin);
  } catch {
    return undefined;
  }
}

function store(origin: string, text: string | undefined): void {
  try {
    if (text === undefined) globalThis.localStorage?.removeItem(prefix + origin);
    else globalThis.localStorage?.setItem(prefix + origin, text);
  } catch {
    // See above.
  }
}
