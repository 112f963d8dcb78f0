import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Client, connect, type Options, type State } from "../src/index.js";

/** A frame as the server got it. */
export interface Said {
  readonly id?: number;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a frame.
  readonly body: any;
  readonly text: string;
}

/** A list that can be waited on. */
class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(item);
    else this.#items.push(item);
  }

  async take(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : item;
  }

  get length(): number {
    return this.#items.length;
  }
}

/** The server's end of one connection: tests say line by line what it hears and says. */
export class Peer {
  readonly #socket: WebSocket;
  readonly #said = new Inbox<Said>();
  readonly protocol: string;
  readonly ended: Promise<number>;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.protocol = socket.protocol;
    this.ended = once(socket, "close").then(([code]) => code);
    socket.on("message", (data) => this.#said.put(parse(String(data))));
    socket.on("error", () => {});
  }

  /** Takes the next frame, which must be of `kind`. */
  async want(kind: string): Promise<Said> {
    const said = await this.#said.take();
    expect(said.kind, said.text).toBe(kind);
    return said;
  }

  /** How many frames came that the test has not taken. */
  get unread(): number {
    return this.#said.length;
  }

  /** Sends a frame, or exactly this text. */
  say(frame: object | string): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  answer(to: Said, kind: string, body: object = {}): void {
    this.say({ id: to.id, [kind]: body });
  }

  /** Hears hello and answers it. */
  async greet(welcome: object = {}): Promise<Said> {
    const hello = await this.want("hello");
    this.answer(hello, "welcome", { session: "s1", resume: "r1", ...welcome });
    return hello;
  }

  /** Hears a subscription and confirms it. */
  async confirm(pos = "p0"): Promise<Said> {
    const sub = await this.want("sub");
    this.answer(sub, "subscribed", { ch: sub.body.ch, pos });
    return sub;
  }

  /** Hears a publish and says that it is committed. */
  commit(off: number): Promise<Said> {
    return this.answered("pub", off);
  }

  /** Hears a change of this kind and says that it is committed. */
  async answered(kind: string, off: number): Promise<Said> {
    const said = await this.want(kind);
    this.answer(said, "published", { ch: said.body.ch, off, pos: `p${off}`, durability: "fsync" });
    return said;
  }

  /** Publishes numbers `from` to `to` to subscribers; the offset is the data, and the position `p` and the offset. */
  publish(from: number, to = from, ch = "log:a"): void {
    for (let n = from; n <= to; n++) this.say({ pub: { ch, ...numbered(n) } });
  }

  /** Tells that a key was set, or with undefined that it is gone. */
  key(key: string, off: number, data?: unknown, ch = "map:a"): void {
    const place = { ch, key, off, pos: `p${off}`, time: 1_700_000_000_000 + off };
    this.say({ pub: data === undefined ? { ...place, gone: true } : { ...place, data } });
  }

  /** Says that every key was told. */
  synced(off: number, ch = "map:a"): void {
    this.say({ synced: { ch, pos: `p${off}` } });
  }

  /** Refuses a request. */
  refuse(to: Said, code: number, name: string): void {
    this.answer(to, "error", { code, name });
  }

  /** Answers a history request out of a log that holds the numbers `first` to `top`. */
  async page(first: number, top: number): Promise<Said> {
    const request = await this.want("history");
    this.answer(request, "page", { ch: request.body.ch, ...pageOf(request.body, first, top) });
    return request;
  }

  /** Returns when the client has taken everything that was said. What it said itself meanwhile must have been heard. */
  async settled(): Promise<void> {
    this.say({ id: 1_000_000, ping: {} });
    await this.want("pong");
  }

  close(code: number, reason = ""): void {
    this.#socket.close(code, reason);
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Reads nothing any more, so that the other side's close is not answered either. */
  freeze(): void {
    this.#socket.pause();
  }
}

const numbered = (n: number) => ({ off: n, pos: `p${n}`, time: 1_700_000_000_000 + n, data: n });

function pageOf(
  query: { since?: string; before?: string; limit?: number },
  first: number,
  top: number,
): object {
  const limit = query.limit ?? 50;
  const since = query.since === undefined ? undefined : Number(query.since.slice(1));
  const before = query.before === undefined ? top + 1 : Number(query.before.slice(1));
  const complete = since === undefined || since >= first - 1;
  const from = since === undefined ? Math.max(first, before - limit) : Math.max(first, since + 1);
  const to = since === undefined ? before - 1 : Math.min(top, from + limit - 1);
  const pubs = [];
  for (let n = from; n <= to; n++) pubs.push(numbered(n));
  return { pubs, pos: `p${top}`, complete, more: since === undefined ? from > first : to < top };
}

function parse(text: string): Said {
  const { id, ...rest } = JSON.parse(text);
  const [kind] = Object.keys(rest);
  return { id, kind: kind ?? "", body: rest[kind ?? ""], text };
}

/** A real WebSocket server on a free port that says what the test says. */
export class ScriptedServer {
  readonly #server = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    handleProtocols: ([first]) => first ?? false,
  });
  readonly #peers = new Inbox<Peer>();
  readonly paths: string[] = [];

  constructor() {
    this.#server.on("connection", (socket, request) => {
      this.paths.push(request.url ?? "");
      this.#peers.put(new Peer(socket));
    });
  }

  async start(): Promise<this> {
    await once(this.#server, "listening");
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next client that connects. */
  peer(): Promise<Peer> {
    return this.#peers.take();
  }

  /** How many connections there were. */
  get count(): number {
    return this.paths.length;
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A scripted server that is stopped when the test ends. */
export async function serve(): Promise<ScriptedServer> {
  const server = await new ScriptedServer().start();
  onTestFinished(() => server.stop());
  return server;
}

/** A client of `server` that comes back quickly and is closed when the test ends. */
export function client(server: { url: string }, options: Options = {}): Client {
  const es = connect(server.url, {
    webSocket: WebSocket,
    backoff: { min: 1, max: 20 },
    closeTimeout: 50,
    ...options,
  });
  onTestFinished(() => es.close());
  return es;
}

/** A scripted server with a client whose session is open. */
export async function open(
  options: Options = {},
): Promise<{ server: ScriptedServer; es: Client; peer: Peer }> {
  const server = await serve();
  const es = client(server, options);
  const peer = await server.peer();
  await peer.greet();
  await reached(es, "open");
  return { server, es, peer };
}

/** Waits until the client's state has this name. */
export function reached<N extends State["name"]>(es: Client, name: N): Promise<Extract<State, { name: N }>> {
  return new Promise((resolve) => {
    const check = (state: State) => {
      if (state.name !== name) return;
      off();
      resolve(state as Extract<State, { name: N }>);
    };
    const off = es.on("state", check);
    check(es.state);
  });
}

/** Takes the next `count` of what is iterated. */
export async function take<T>(from: AsyncIterator<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { done, value } = await from.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

/** The whole numbers from `from` to `to`. */
export const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
