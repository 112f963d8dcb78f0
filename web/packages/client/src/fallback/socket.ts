import type { WebSocketConstructor, WebSocketLike } from "../socket.js";
import type { Memory } from "./memory.js";

/** How a fallback socket goes about it. */
export interface Settings {
  readonly webSocket: WebSocketConstructor;
  readonly otherwise: WebSocketConstructor;
  readonly patienceMs: number;
  readonly probeMs: number;
  readonly memory: Memory;
}

/** How soon to see whether a WebSocket works after all: one that a restart of the server refused does. */
const firstProbeMs = 30_000;

/** The close code that says: come back at once. */
const comeBack = 4200;

/** A WebSocket, or what stands in for it where it is blocked. */
export class FallbackSocket implements WebSocketLike {
  onopen: WebSocketLike["onopen"] = null;
  onmessage: WebSocketLike["onmessage"] = null;
  onerror: WebSocketLike["onerror"] = null;
  onclose: WebSocketLike["onclose"] = null;

  readonly #url: string;
  readonly #protocol: string;
  readonly #settings: Settings;
  // What was sent before something was heard: it is sent again over another socket.
  #unheard: string[] | undefined = [];
  #announced = false;
  #closed = false;
  #socket: WebSocketLike | undefined;
  #probe: WebSocketLike | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #probeMs: number;

  constructor(url: string, protocol: string, settings: Settings) {
    this.#probeMs = Math.min(firstProbeMs, settings.probeMs);
    this.#url = url;
    this.#protocol = protocol;
    this.#settings = settings;
    if (settings.memory.isBlocked(url)) this.#otherwise();
    else this.#first();
  }

  send(text: string): void {
    this.#unheard?.push(text);
    this.#socket?.send(text);
  }

  close(code?: number): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#probe?.close();
    this.#socket?.close(code);
  }

  #first(): void {
    const socket = new this.#settings.webSocket(this.#url, this.#protocol);
    const giveUp = () => {
      silence(socket);
      socket.close();
      if (!this.#closed) this.#otherwise();
    };
    this.#timer = setTimeout(giveUp, this.#settings.patienceMs);
    this.#use(socket, giveUp, () => this.#settings.memory.works(this.#url));
  }

  #otherwise(): void {
    clearTimeout(this.#timer);
    const socket = new this.#settings.otherwise(this.#url, this.#protocol);
    this.#use(socket, undefined, () => {
      this.#settings.memory.blocked(this.#url);
      this.#probeLater();
    });
  }

  /** Makes socket the one in use. `failed` is called if it ends before anything was heard, `works` if something is. */
  #use(socket: WebSocketLike, failed: (() => void) | undefined, works: () => void): void {
    this.#socket = socket;
    socket.onopen = () => this.#opened(socket);
    socket.onerror = () => {};
    socket.onmessage = (event: unknown) => {
      if (this.#unheard) {
        this.#unheard = undefined;
        clearTimeout(this.#timer);
        works();
      }
      this.onmessage?.(event as never);
    };
    socket.onclose = (event: unknown) => {
      if (this.#unheard && failed && !this.#closed) failed();
      else this.#ended(event);
    };
  }

  #opened(socket: WebSocketLike): void {
    const again = this.#announced;
    this.#announced = true;
    if (again) for (const text of this.#unheard ?? []) socket.send(text);
    else this.onopen?.({} as never);
  }

  #ended(event: unknown): void {
    clearTimeout(this.#timer);
    this.#probe?.close();
    this.onclose?.(event as never);
  }

  #probeLater(): void {
    this.#timer = setTimeout(() => this.#tryFirst(), this.#probeMs);
    this.#probeMs = Math.min(2 * this.#probeMs, this.#settings.probeMs);
  }

  /** Opens a WebSocket beside what is in use. If that succeeds, the client comes back, over a WebSocket then. */
  #tryFirst(): void {
    const probe = new this.#settings.webSocket(this.#url, this.#protocol);
    this.#probe = probe;
    probe.onerror = () => {};
    probe.onclose = () => {
      this.#probe = undefined;
      if (!this.#closed) this.#probeLater();
    };
    probe.onopen = () => {
      silence(probe);
      probe.close();
      this.#settings.memory.works(this.#url);
      const socket = this.#socket;
      if (socket) silence(socket);
      socket?.close();
      this.#ended({ code: comeBack, reason: "a WebSocket can be had again" });
    };
  }
}

/** Hears nothing more of socket. An error handler stays: `ws` throws without one. */
function silence(socket: WebSocketLike): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.onerror = () => {};
}
