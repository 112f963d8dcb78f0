import type { MissedEvent, Page, Publication, ResetEvent } from "./events.js";

/** The protocol's version: the WebSocket subprotocol that selects it. */
export const subprotocol = "earshot.v1.json";

/** A client's frame may have at most this many bytes. */
export const maxFrameBytes = 64 << 10;
/** A server's frame may be this long; a longer one is not read. */
export const maxServerFrameBytes = 1 << 20;
/** A history request may ask for at most this many publications. */
export const maxPageLimit = 500;

/** What a client says, by the frame's key. */
export interface ClientFrames {
  hello: { token?: string; client?: string; sender?: string; resume?: string; heartbeat_ms?: number };
  sub: { ch: string; since?: string; last?: number; echo?: false; every_ms?: number };
  unsub: { ch: string };
  pub: PublishBody;
  history: { ch: string; since?: string; before?: string; limit?: number };
  set: { ch: string; key: string; if?: number; ttl_ms?: number; own?: true; idem?: string } & DataBody;
  del: { ch: string; key: string; if?: number; idem?: string };
  join: { ch: string } & DataBody;
  leave: { ch: string };
  call: { to?: string; method: string; timeout_ms?: number; idem?: string } & DataBody;
  /** Its id is that of the server's call. */
  result: DataBody | { error: string };
  refresh: { token: string };
  ping: Record<string, never>;
  pong: Record<string, never>;
}

/** A JSON value, or bytes in base64. */
export interface DataBody {
  data?: unknown;
  b64?: string;
}

export interface PublishBody extends DataBody {
  ch: string;
  idem: string;
  event?: string;
  tags?: Readonly<Record<string, string>>;
}

/** What an error frame, a server's unsubscribed frame and bye say. */
export interface Refusal {
  readonly code: number;
  readonly name: string;
  readonly reason: string;
  /** When to come back, in milliseconds; undefined leaves it to the client's backoff. */
  readonly delay?: number | undefined;
}

/** What the server says, by the frame's key. */
export interface ServerFrames {
  welcome: {
    session: string;
    resume: string;
    user: string;
    resumed: boolean;
    heartbeat: number;
    expires: number;
  };
  subscribed: { channel: string; position: string };
  unsubscribed: { channel: string } & Refusal;
  published: { channel: string; position: string; offset: number; duplicate: boolean; durability: string };
  /** `bytes` is the length of the frame's text. */
  page: Page & { channel: string; bytes: number };
  result: { data: unknown };
  /** `expires`, as in `welcome`: for how many milliseconds the token is good; 0 if the server does not say. */
  refreshed: { expires: number };
  error: Refusal;
  pub: Publication;
  reset: ResetEvent;
  missed: MissedEvent;
  moved: { channel: string; position: string };
  /** The reader of a map has every key. */
  synced: { channel: string; position: string };
  /** Its id is the server's, and has nothing to do with those of this client. */
  call: { from: string; user: string; method: string; data: unknown; timeout: number };
  ping: object;
  pong: object;
  bye: Refusal;
}

/** A decoded frame: `id` is 0 where it answers nothing, `size` the length of its text. */
export type ServerFrame = {
  [K in keyof ServerFrames]: {
    readonly kind: K;
    readonly id: number;
    readonly size: number;
    readonly body: ServerFrames[K];
  };
}[keyof ServerFrames];
