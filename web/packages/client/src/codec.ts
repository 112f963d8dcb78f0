import { fromBase64 } from "./bytes.js";
import type { Publication, ResetReason } from "./events.js";
import {
  type ClientFrames,
  maxServerFrameBytes,
  type Refusal,
  type ServerFrame,
  type ServerFrames,
} from "./frames.js";

/** Writes a client's frame. Without an `id` the server sends no answer. */
export function encode<K extends keyof ClientFrames>(kind: K, body: ClientFrames[K], id?: number): string {
  return JSON.stringify({ id, [kind]: body });
}

/** Writes a client's frame whose body is JSON text already. */
export function encodeText(kind: keyof ClientFrames, body: string, id: number): string {
  return `{"id":${id},"${kind}":${body}}`;
}

/**
 * Reads a server's frame. A frame of a kind that this client does not know is undefined; what is not a frame at all, or
 * breaks the form of its kind, throws. Unknown fields are ignored.
 */
export function decode(text: unknown): ServerFrame | undefined {
  if (typeof text !== "string" || text.length > maxServerFrameBytes)
    throw new TypeError("not text, or too long");
  const frame = new Fields(JSON.parse(text));
  for (const kind of Object.keys(readers) as (keyof ServerFrames)[]) {
    if (!frame.has(kind)) continue;
    const body = readers[kind](frame.object(kind), text.length);
    return { kind, id: frame.number("id"), size: text.length, body } as ServerFrame;
  }
  return undefined;
}

/** The fields of a JSON object. Only its own are seen, so that a key such as `__proto__` or `constructor` is inert. */
class Fields {
  readonly #of: Record<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new TypeError("not an object");
    this.#of = value as Record<string, unknown>;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#of, key);
  }

  raw(key: string): unknown {
    return this.has(key) ? this.#of[key] : undefined;
  }

  text(key: string): string {
    return this.#typed(key, "string", "");
  }

  number(key: string): number {
    return this.#typed(key, "number", 0);
  }

  flag(key: string): boolean {
    return this.#typed(key, "boolean", false);
  }

  object(key: string): Fields {
    return new Fields(this.raw(key));
  }

  list(key: string): Fields[] {
    const value = this.raw(key) ?? [];
    if (!Array.isArray(value)) throw new TypeError(`${key} is not a list`);
    return value.map((each) => new Fields(each));
  }

  /** All the fields, which must be text. */
  texts(): Record<string, string> {
    for (const key of Object.keys(this.#of)) this.text(key);
    return this.#of as Record<string, string>;
  }

  #typed<T>(key: string, type: string, empty: T): T {
    const value = this.raw(key) ?? empty;
    if (typeof value !== type) throw new TypeError(`${key} is not a ${type}`);
    return value as T;
  }
}

const resetReasons: readonly string[] = ["evicted", "epoch"];

const place = (f: Fields) => ({ channel: f.text("ch"), position: f.text("pos") });

const readers: { [K in keyof ServerFrames]: (f: Fields, bytes: number) => ServerFrames[K] } = {
  pub: (f) => publication(f, f.text("ch")),
  published: (f) => ({
    ...place(f),
    offset: f.number("off"),
    duplicate: f.flag("dup"),
    durability: f.text("durability"),
  }),
  page,
  reset: (f) => ({ ...place(f), why: resetReason(f.text("why")) }),
  result: (f) => ({ data: data(f) }),
  call: (f) => ({
    from: f.text("from"),
    user: f.text("user"),
    method: f.text("method"),
    data: data(f),
    timeout: f.number("timeout_ms"),
  }),
  missed: (f) => ({ ...place(f), count: f.number("count") }),
  moved: place,
  synced: place,
  welcome: (f) => ({
    session: f.text("session"),
    resume: f.text("resume"),
    user: f.text("user"),
    resumed: f.flag("resumed"),
    heartbeat: f.number("heartbeat_ms"),
    expires: f.number("expires_ms"),
  }),
  subscribed: place,
  unsubscribed: (f) => ({ channel: f.text("ch"), ...refusal(f) }),
  error: refusal,
  bye: refusal,
  refreshed: (f) => ({ expires: f.number("expires_ms") }),
  ping: () => ({}),
  pong: () => ({}),
};

function publication(f: Fields, channel: string): Publication {
  const gone = f.flag("gone");
  const message = gone ? new Fields({}) : f;
  return {
    channel,
    data: data(message),
    event: message.text("event") || "message",
    offset: f.number("off"),
    position: f.text("pos"),
    time: f.number("time"),
    user: f.text("user"),
    tags: tags(message),
    ...(f.has("key") && { key: f.text("key"), gone }),
  };
}

function data(f: Fields): unknown {
  return f.has("b64") ? fromBase64(f.text("b64")) : (f.raw("data") ?? null);
}

function tags(f: Fields): Record<string, string> {
  return f.has("tags") ? f.object("tags").texts() : {};
}

function page(f: Fields, bytes: number): ServerFrames["page"] {
  const { channel, position } = place(f);
  const publications = f.list("pubs").map((each) => publication(each, channel));
  return {
    channel,
    bytes,
    publications,
    position,
    complete: f.flag("complete"),
    more: f.flag("more"),
    ...(f.has("keys") && { keys: f.number("keys") }),
  };
}

function refusal(f: Fields): Refusal {
  const delay = f.number("retry_ms") || f.number("delay_ms");
  return {
    code: f.number("code"),
    name: f.text("name"),
    reason: f.text("reason"),
    delay: delay || undefined,
  };
}

function resetReason(why: string): ResetReason {
  return resetReasons.includes(why) ? (why as ResetReason) : "unknown";
}
