import { decode, encode } from "./codec.js";
import { ClientCode } from "./errors.js";
import {
  type ClientFrames,
  type Refusal,
  type ServerFrame,
  type ServerFrames,
  subprotocol,
} from "./frames.js";
import type { WebSocketConstructor, WebSocketLike } from "./socket.js";
import { Watchdog } from "./watchdog.js";

/** How to open a link. */
export interface LinkOptions {
  url: string;
  webSocket: WebSocketConstructor;
  hello: ClientFrames["hello"];
}

/** Who owns a link. */
export interface LinkOwner {
  welcomed(welcome: ServerFrames["welcome"]): void;
  received(frame: ServerFrame): void;
  /** Called once, with the reason; nothing is called after it. */
  ended(end: Refusal): void;
}

/** The id of hello. The ids of other requests come after it. */
export const helloId = 1;

/** One WebSocket, from its opening to its end: hello, heartbeats, the watchdog, and reading frames. */
export class Link {
  readonly #socket: WebSocketLike;
  readonly #owner: LinkOwner;
  readonly #heartbeatMs: number;
  #watchdog: Watchdog | undefined;
  #bye: Refusal | undefined;
  #ended = false;

  /** Throws what the WebSocket constructor throws. */
  constructor({ url, webSocket, hello }: LinkOptions, owner: LinkOwner) {
    this.#owner = owner;
    this.#heartbeatMs = hello.heartbeat_ms ?? 0;
    const socket = new webSocket(url, subprotocol);
    this.#socket = socket;
    socket.onopen = () => socket.send(encode("hello", hello, helloId));
    socket.onmessage = (event: { data: unknown }) => this.#heard(event.data);
    socket.onerror = () => {};
    socket.onclose = (event: { code: number; reason: string }) => this.#closed(event.code, event.reason);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Asks for a sign of life, and ends the link if none comes soon. */
  probe(): void {
    this.#watchdog?.probe();
  }

  /** Ends the link without waiting for the other side, which may not be there. */
  end(end: Refusal): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watchdog?.stop();
    const socket = this.#socket;
    // An error handler stays: closing a connection that is still opening is an error event, and `ws` throws without one.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
    this.#owner.ended(end);
  }

  /** Ends the link and resolves when the close handshake is done, or after `timeoutMs`. */
  close(end: Refusal, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve();
      this.end(end);
      const timer = setTimeout(resolve, timeoutMs);
      this.#socket.onclose = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #heard(data: unknown): void {
    this.#watchdog?.heard();
    let frame: ServerFrame | undefined;
    try {
      frame = decode(data);
    } catch (error) {
      // A frame that cannot be read may be a publication. Coming back with positions is the way to lose none.
      this.end({ code: ClientCode.disconnected, name: "", reason: `unreadable frame: ${String(error)}` });
    }
    if (frame) this.#take(frame);
  }

  #take(frame: ServerFrame): void {
    if (frame.kind === "welcome") this.#watchdog ?? this.#welcomed(frame.body);
    else if (frame.kind === "error" && frame.id === helloId) this.end(frame.body);
    else if (frame.kind === "ping") this.send(encode("pong", {}, frame.id || undefined));
    else if (frame.kind === "bye") this.#bye = frame.body;
    else if (frame.kind !== "pong") this.#owner.received(frame);
  }

  #welcomed(welcome: ServerFrames["welcome"]): void {
    const intervalMs = welcome.heartbeat || this.#heartbeatMs;
    this.#watchdog?.stop();
    this.#watchdog = new Watchdog(intervalMs * 1.5, welcome.heartbeat > 0, {
      ping: () => this.send(encode("ping", {})),
      dead: () => this.end({ code: ClientCode.disconnected, name: "", reason: "the server fell silent" }),
    });
    this.#owner.welcomed(welcome);
  }

  #closed(code: number, reason: string): void {
    this.end(this.#bye ?? { code, name: "", reason: reason || `the connection was closed with ${code}` });
  }
}
