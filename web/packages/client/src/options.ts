import { websocketURL } from "./address.js";
import type { BackoffOptions } from "./backoff.js";
import type { WebSocketConstructor } from "./socket.js";
import type { Token } from "./token.js";

/** A bound of a queue: it is full when either is reached. */
export interface QueueLimit {
  count: number;
  bytes: number;
}

/** What `connect` takes. Every field may be left out. Times are in milliseconds. */
export interface Options {
  /** The token, or a callback that is asked for one before each attempt to connect. */
  token?: Token | undefined;
  /** The WebSocket to use where there is no global one, such as that of `ws` in Node 20. */
  webSocket?: WebSocketConstructor | undefined;
  /** Closes the client when it aborts. */
  signal?: AbortSignal | undefined;
  /** Bounds of the delay between attempts to connect: 500 to 20,000. */
  backoff?: Partial<BackoffOptions>;
  /** How often the server shall say something: 25,000. The link is given up after one and a half times that in silence. */
  heartbeat?: number;
  /** How long a connection must hold until earlier failures are forgiven: 10,000. */
  stableAfter?: number;
  /** How many publishes may wait for an answer: 1,000, of 1 MiB together. */
  publishQueue?: Partial<QueueLimit>;
  /**
   * How long after it was first sent a publish without an answer may be sent again: 240,000. It must be less than the
   * server's idempotency window, which is five minutes unless its configuration says otherwise.
   */
  publishRetry?: number;
  /** How long `close` waits for the answers of publishes that were sent: 2,000. */
  closeTimeout?: number;
}

/** Options with their defaults. */
export interface Settings {
  readonly url: string;
  readonly client: string;
  readonly token: Token | undefined;
  readonly webSocket: WebSocketConstructor;
  readonly backoff: BackoffOptions;
  readonly heartbeatMs: number;
  readonly stableMs: number;
  readonly publishQueue: QueueLimit;
  readonly publishRetryMs: number;
  readonly closeTimeoutMs: number;
}

const client = "earshot-js/0.1.0";

/** Fills in the defaults. Throws a TypeError for an address that is none, or where there is no WebSocket. */
export function settingsOf(address: string | URL, options: Options): Settings {
  const webSocket = options.webSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
  if (!webSocket) throw new TypeError("there is no global WebSocket here: pass one as the option webSocket");
  return {
    url: websocketURL(String(address)),
    client,
    token: options.token,
    webSocket,
    backoff: { min: 500, max: 20_000, ...options.backoff },
    heartbeatMs: options.heartbeat ?? 25_000,
    stableMs: options.stableAfter ?? 10_000,
    publishQueue: { count: 1_000, bytes: 1 << 20, ...options.publishQueue },
    publishRetryMs: options.publishRetry ?? 240_000,
    closeTimeoutMs: options.closeTimeout ?? 2_000,
  };
}
